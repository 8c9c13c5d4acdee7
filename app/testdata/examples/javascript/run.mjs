// Runs the examples whose names are given, each with the token in its file.
import { readFileSync } from "node:fs";

for (const name of process.argv.slice(2)) {
  process.env.TOKEN = readFileSync(`${name}.token`, "utf8");
  console.log(`\n== ${name}`);
  await import(`./${name}.mjs`);
}
