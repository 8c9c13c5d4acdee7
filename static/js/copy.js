import { say } from "./say.js";

// Copy buttons are hidden until there is a script to serve them. data-copy
// names a field or an element whose text goes to the clipboard; of an empty
// field there is nothing to copy.
export function showCopy(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = document.getElementById(button.dataset.copy)?.value === "";
}

export function serveCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    const source = button && document.getElementById(button.dataset.copy);
    if (!source) return;
    const done = await copied(source.value ?? source.textContent, button);
    tell(button, done ? "Copied" : "Not allowed");
  });
}

// The browser gives its clipboard only to https and this machine; elsewhere a
// selected text field has to do.
async function copied(text, button) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.className = "v-visible-sr";
    button.after(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    button.focus();
    return done;
  }
}

function tell(button, word) {
  button.dataset.label ??= button.textContent;
  button.dataset.name ??= button.getAttribute("aria-label") ?? "";
  button.textContent = word;
  button.removeAttribute("aria-label");
  say(word);
  clearTimeout(button.timer);
  button.timer = setTimeout(() => {
    button.textContent = button.dataset.label;
    if (button.dataset.name) button.setAttribute("aria-label", button.dataset.name);
  }, 2000);
}
