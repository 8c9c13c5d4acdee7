// say has a screen reader read a sentence. A modal dialog silences what lies
// outside it, so the place for the words moves into it.
let place;

export function say(text) {
  place ??= Object.assign(document.createElement("p"), { className: "v-visible-sr" });
  place.setAttribute("role", "status");
  const home = document.querySelector("dialog[open]") ?? document.body;
  if (place.parentNode !== home) home.append(place);
  place.textContent = "";
  requestAnimationFrame(() => { place.textContent = text; });
}
