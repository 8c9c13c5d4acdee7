# Runs the examples whose names are given, each with the token in its file. The status comes first.
for name in "$@"; do
  TOKEN=$(cat "$name.token")
  answer=$(. "./$name.sh")
  printf '\n== %s\n%s %s\n' "$name" "${answer##*$'\n'}" "$answer"
done
