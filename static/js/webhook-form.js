import { ask, locationDetails, parsed } from "./ask.js";
import { showCopy } from "./copy.js";
import { say } from "./say.js";
import { tagBox } from "./tags.js";
import { showVerdict } from "./verdict.js";
import { livePreview } from "./webhook-preview.js";

// serveForm lets the form stay while its buttons work: they send it as ever,
// and what comes back takes its place. leave is called with the address that a
// save leads to.
export function serveForm(form, leave) {
  const changed = livePreview(form);
  const look = (event) => {
    if (!event.target.closest(".form-side")) changed();
  };
  form.addEventListener("input", look);
  form.addEventListener("input", () => offer(form));
  form.addEventListener("change", (event) => {
    if (event.target.name === "location") follow(form, false);
    look(event);
  });
  // Links of the summary lead to fields; followed as links they would be steps
  // in the history, and Back would not close a dialog.
  form.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (!link) return;
    event.preventDefault();
    document.getElementById(link.hash.slice(1))?.focus();
  });
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-tick]");
    if (!button) return;
    event.preventDefault();
    tick(button.closest(".group, .more-group"), button.dataset.tick === "all");
    changed();
  });
  form.addEventListener("change", (event) => {
    const group = event.target.closest(".more-group");
    if (group) count(group);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form, event.submitter, leave, changed);
  });
  outfit(form, changed);
  changed();
}

// tick chooses all activities of a group, or none.
function tick(group, all) {
  for (const box of group.querySelectorAll("input[name=events]")) box.checked = all;
  count(group);
}

// count says how many activities of a fold are chosen.
function count(group) {
  const boxes = [...group.querySelectorAll("input[name=events]")];
  const said = group.querySelector("[data-chosen]");
  if (said) said.textContent = `${boxes.filter((box) => box.checked).length} of ${boxes.length}`;
}

// outfit is done anew whenever the form's content is.
function outfit(form, changed) {
  offer(form);
  const tags = form.querySelector("input[data-tags]");
  if (tags) {
    tagBox(tags, {
      suggest: async (prefix) => (await locationDetails(form.elements.location.value, prefix)).tags,
      changed: () => {
        form.querySelector("#tag_mode-specific").checked = true;
        changed();
      },
    });
  }
  follow(form, true);
}

// offer shows the buttons that a typed secret needs, while there is one.
function offer(form) {
  showCopy(form);
  for (const button of form.querySelectorAll("[data-typed]")) button.hidden = !form.elements[button.dataset.typed].value;
}

// follow says what the chosen location is and offers its communities. What a
// saved webhook has already stays on offer at first.
async function follow(form, first) {
  const { location, community } = form.elements;
  const asked = location.value;
  const { about = "", communities } = await locationDetails(asked);
  if (!communities || location.value !== asked || !community.isConnected) return;
  const help = form.querySelector("#location-help");
  help.textContent = about;
  help.hidden = !about;
  if (community.tagName !== "SELECT") return; // it has suggestions of its own
  const chosen = community.selectedOptions[0];
  const fits = communities.some((c) => c.value === community.value);
  const options = communities.map((c) => new Option(c.label, c.value, false, c.value === community.value));
  if (first && !fits && chosen?.value) options.push(new Option(chosen.text, chosen.value, false, true));
  community.replaceChildren(new Option("No community selected", ""), ...options);
}

async function send(form, button, leave, changed) {
  if (form.ariaBusy === "true") return;
  const data = new FormData(form, button);
  const fields = form.querySelector(".form-fields");
  form.ariaBusy = "true";
  fields.inert = true; // what were typed now would be lost
  const answer = await ask(form.action, "webhook-form", data);
  form.ariaBusy = "false";
  fields.inert = false;
  if (answer.to) {
    leave(answer.to);
    return;
  }
  if (answer.fault) {
    complain(form, answer.fault);
    button?.focus();
    return;
  }
  replace(form, answer.html, button?.value ?? "save");
  outfit(form, changed);
  if (!form.querySelector("[data-preview] .big")) changed();
}

// replace puts the answer into the form and goes on where the reader was.
function replace(form, html, pressed) {
  const fresh = parsed(html).querySelector("form");
  const old = form.querySelector("[data-preview]");
  const side = fresh.querySelector(".form-side"), place = fresh.querySelector("[data-preview]");
  if (!place.querySelector(".big") && old.querySelector(".big")) place.replaceWith(old);
  const result = form.querySelector("[data-test-result]");
  if (result && !side.querySelector("[data-test-result]")) side.prepend(result);
  form.replaceChildren(...fresh.childNodes);
  const summary = form.querySelector("[data-focus]");
  const buttons = [...form.querySelectorAll("button[name=do]:not([tabindex], [hidden])")];
  const secret = /_(\d)$/.exec(pressed);
  const next = summary ?? buttons.find((b) => b.value === pressed) ?? (secret && form.elements[`secret_${secret[1]}`]);
  next?.focus();
  summary?.scrollIntoView({ block: "center" });
  if (pressed === "test" && !summary) {
    const test = form.querySelector("[data-test-result]");
    if (test) showVerdict(test);
    say(test?.querySelector("h2").textContent ?? "");
  }
}

// complain says at the form's foot what hindered the request.
function complain(form, fault) {
  let place = form.querySelector("[data-fault]");
  if (!place) {
    place = document.createElement("p");
    place.className = "s-notice s-notice__danger py8 px12 mb0 w100";
    place.dataset.fault = "";
    form.querySelector(".form-foot").prepend(place);
  }
  place.setAttribute("role", "alert");
  place.textContent = fault;
}
