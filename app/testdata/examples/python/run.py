# Runs the examples whose names are given, each with the token in its file.
import os
import runpy
import sys

for name in sys.argv[1:]:
    with open(name + ".token") as file:
        os.environ["TOKEN"] = file.read()
    print("\n==", name)
    runpy.run_path(name + ".py")
