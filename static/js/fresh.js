import { ask, parsed } from "./ask.js";
import { say } from "./say.js";

const pause = 5000; // ms between two looks
const patience = 30 * 60 * 1000; // ms without a sign of the reader, after which nobody looks any more

// serveFresh keeps a list as it is on the server. Rows that are shown change
// where they stand; new ones are only counted, in a bar that leads to them, so
// that nothing moves that is being read.
export function serveFresh(place) {
  const address = location.href; // a dialog over the list changes it
  const newest = Math.max(0, ...ids(place));
  const bar = barOf(place, address);
  let active = Date.now(), timer;
  const later = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(look, wait);
  };
  const look = async () => {
    if (document.hidden || Date.now() - active > patience) return; // come back to, it goes on
    const begun = performance.now();
    const answer = await ask(address, place.dataset.fresh, null, { "X-Unattended": "1" });
    if (answer.to) return; // logged out: the next click says so
    if (answer.html !== undefined) (place.dataset.freshWhole === undefined ? show(place, bar, newest, parsed(answer.html)) : renew(place, parsed(answer.html)));
    later(Math.max(pause, 10 * (performance.now() - begun))); // a busy server is left alone
  };
  for (const sign of ["pointerdown", "keydown", "scroll"]) {
    document.addEventListener(sign, () => {
      const away = Date.now() - active > patience;
      active = Date.now();
      if (away) later(0);
    }, { passive: true, capture: true });
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) later(0); });
  later(pause);
}

// renew puts a part in the place of its older self, unless the reader is at it or
// has opened something in it.
function renew(place, fresh) {
  if (place.contains(document.activeElement) || place.querySelector("details[open]") || String(getSelection())) return;
  place.replaceChildren(...fresh.childNodes);
}

function ids(root) {
  return [...root.querySelectorAll("tr[data-id]")].map((row) => Number(row.dataset.id));
}

function barOf(place, address) {
  const to = new URL(address);
  for (const name of ["before", "after"]) to.searchParams.delete(name);
  const bar = Object.assign(document.createElement("div"), { className: "fresh-bar", hidden: true });
  bar.append(Object.assign(document.createElement("a"), { className: "s-btn s-btn__sm s-btn__filled", href: to.href }));
  place.before(bar);
  return bar;
}

function show(place, bar, newest, fresh) {
  const found = ids(fresh), added = found.filter((id) => id > newest).length;
  for (const row of fresh.querySelectorAll("tr[data-id]")) update(place, row);
  if (added === 0) return;
  const words = added === found.length && added > 1 && place.querySelector("tr[data-id]") ? `${added} or more new` : `${added} new`;
  if (bar.hidden) say(words);
  bar.hidden = false;
  bar.firstChild.textContent = words;
}

// update puts a row, and the one below that says why, in the place of its older
// self, unless the reader is at it.
function update(place, row) {
  const old = place.querySelector(`tr[data-id="${row.dataset.id}"]`);
  if (!old || old.contains(document.activeElement)) return;
  const pair = group(row), present = group(old);
  if (said(pair) === said(present)) return;
  const tick = row.querySelector("input[name=id]"), ticked = old.querySelector("input[name=id]");
  if (tick && ticked) tick.checked = ticked.checked;
  row.classList.toggle("is-picked", old.classList.contains("is-picked"));
  old.before(...pair);
  for (const part of present) part.remove();
}

function group(row) {
  const below = row.nextElementSibling;
  return below?.classList.contains("why") ? [row, below] : [row];
}

function said(rows) {
  return rows.map((row) => row.textContent + [...row.querySelectorAll("svg[aria-label]")].map((svg) => svg.getAttribute("aria-label")).join()).join();
}
