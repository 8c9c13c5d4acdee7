import { ask, parsed } from "./ask.js";
import { showCopy } from "./copy.js";
import { say } from "./say.js";

const pause = 300; // ms after the last change

// The preview follows the form: one request at a time, and an answer that was
// overtaken by another change is dropped. It returns what is to be called
// after a change.
export function livePreview(form, part = "webhook-preview") {
  let version = 0, timer, asking = false, again = false;
  const run = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    const asked = version;
    const data = new FormData(form);
    data.set("do", "preview");
    const answer = await ask(form.action, part, data);
    asking = false;
    const place = form.querySelector("[data-preview]");
    if (asked === version && answer.html !== undefined && place) show(place, answer.html);
    if (again) {
      again = false;
      run();
    }
  };
  return () => {
    version++;
    clearTimeout(timer);
    timer = setTimeout(run, pause);
  };
}

// show replaces the preview and keeps what the reader does in it: scrolled
// boxes, what is unfolded, the focus.
function show(place, html) {
  const focus = place.contains(document.activeElement) ? document.activeElement.id : "";
  const scrolled = [...place.querySelectorAll("pre[id]")].map((box) => [box.id, box.scrollTop, box.scrollLeft]);
  const unfolded = Boolean(place.querySelector("details[open]"));
  const before = place.querySelector(".big")?.textContent;
  place.replaceChildren(parsed(html));
  showCopy(place);
  if (unfolded) place.querySelector("details")?.setAttribute("open", "");
  for (const [id, top, left] of scrolled) document.getElementById(id)?.scrollTo(left, top);
  if (focus) document.getElementById(focus)?.focus();
  const now = place.querySelector(".big")?.textContent;
  if (now && now !== before) say(`${now} would have matched`);
}
