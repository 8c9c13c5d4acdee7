// Writes static/vendor from the unpacked packages: node build.mjs NODE_MODULES OUT
// Stacks' files are copied as they are. The sprite is built here: one symbol for each
// icon named in icons.txt. The names of logos are refused; they are not ours to ship.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [modules, out] = process.argv.slice(2);
const here = dirname(fileURLToPath(import.meta.url));
const read = (...path) => readFileSync(join(...path), "utf8");

const stacks = join(modules, "@stackoverflow/stacks");
const icons = join(modules, "@stackoverflow/stacks-icons");

// symbol turns one icon of the package into a symbol of the sprite. Geometry only: the
// content security policy of the pages knows no inline styles, and colour comes by class.
function symbol(name, svg) {
  if (svg === undefined) throw new Error(`icons.txt: the package has no icon ${name}`);
  if (/^(Logo|Glyph|Service(?!Webhooks))/.test(name)) throw new Error(`icons.txt: ${name} is somebody's mark`);
  const [, attributes, content] = svg.match(/^<svg ([^>]*)>(.*)<\/svg>$/s) ?? [];
  const [, viewBox] = attributes?.match(/viewBox="([^"]+)"/) ?? [];
  if (!viewBox) throw new Error(`${name}: the icon is not one svg element with a viewBox`);
  if (/<(?!path |circle |rect |g |g>|\/)|style|href|url\(| on/.test(content)) throw new Error(`${name}: the icon has more than geometry`);
  return `<symbol id="${name}" viewBox="${viewBox}">${content}</symbol>`;
}

function sprite() {
  const { version } = JSON.parse(read(icons, "package.json"));
  const all = JSON.parse(read(icons, "dist/icons.json"));
  const names = read(here, "icons.txt").split("\n").filter(Boolean);
  return [
    `<!-- Built by "make assets" from @stackoverflow/stacks-icons ${version} (Apache License 2.0, licenses/stacks-icons.txt); changed: each icon packed as a symbol. -->`,
    `<svg xmlns="http://www.w3.org/2000/svg">`,
    ...names.map((name) => symbol(name, all[name])),
    `</svg>`,
    "",
  ].join("\n");
}

rmSync(out, { recursive: true, force: true });
for (const folder of ["stacks", "licenses"]) mkdirSync(join(out, folder), { recursive: true });
cpSync(join(stacks, "dist/css/stacks.min.css"), join(out, "stacks/stacks.min.css"));
cpSync(join(stacks, "dist/js/stacks.min.js"), join(out, "stacks/stacks.min.js"));
writeFileSync(join(out, "icons.svg"), sprite());

// Stacks' package comes without its licence file; the text here is the one of its repository.
// Popper and Stimulus are inside stacks.min.js.
cpSync(join(here, "LICENSE.stacks"), join(out, "licenses/stacks.txt"));
cpSync(join(icons, "LICENSE.md"), join(out, "licenses/stacks-icons.txt"));
cpSync(join(modules, "@popperjs/core/LICENSE.md"), join(out, "licenses/popper.txt"));
cpSync(join(modules, "@hotwired/stimulus/LICENSE.md"), join(out, "licenses/stimulus.txt"));
