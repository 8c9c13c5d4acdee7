import { ask, parsed } from "./ask.js";
import { serveForm } from "./webhook-form.js";

let dialog, opener, shown = "", typed = "", sure = false;

// serveDialog opens links to the form as a dialog over the page. The address
// is the form's own, so that a reload shows it as a page, and Back closes it.
export function serveDialog() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-dialog]");
    if (!link || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link.href, link);
  });
  window.addEventListener("popstate", (event) => {
    const to = event.state?.form ?? "";
    if (dialog?.open && to !== shown) {
      if (unsaved()) {
        history.pushState({ form: shown }, "", shown);
        askFirst();
      } else {
        close();
      }
    } else if (to && !dialog?.open) {
      open(to, null);
    }
  });
}

// open shows the form of an address; without an opener it was come back to.
async function open(address, link) {
  const answer = await ask(address, "webhook-form");
  if (!answer.html) {
    location.assign(answer.to ?? address); // the page says what is wrong
    return;
  }
  dialog ??= build();
  opener = link ?? opener;
  opener?.closest("details.more")?.removeAttribute("open");
  shown = new URL(address, location.href).href;
  if (link) history.pushState({ form: shown }, "", shown);
  const form = parsed(answer.html).querySelector("form");
  form.action = shown;
  dialog.querySelector("form")?.remove();
  dialog.append(form);
  dialog.showModal();
  serveForm(form, (to) => location.replace(to));
  typed = content(form);
  sure = false;
  (form.elements.name ?? form).focus();
}

function build() {
  const made = document.createElement("dialog");
  made.className = "form-dialog";
  for (const [name, value] of [["role", "dialog"], ["aria-modal", "true"], ["aria-labelledby", "form-dialog-title"]]) made.setAttribute(name, value);
  const title = Object.assign(document.createElement("h2"), { id: "form-dialog-title", textContent: "Get notifications via webhooks" });
  const cross = Object.assign(document.createElement("button"), { type: "button", className: "s-btn s-btn__muted form-close", textContent: "×" });
  cross.setAttribute("aria-label", "Close");
  const head = Object.assign(document.createElement("div"), { className: "form-head" });
  head.append(title, cross);
  made.append(head);
  cross.addEventListener("click", leave);
  made.addEventListener("click", (event) => {
    if (!event.target.closest("[data-cancel]")) return;
    event.preventDefault();
    leave();
  });
  // Escape is taken before the browser closes the dialog by itself.
  made.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    leave();
  });
  made.addEventListener("cancel", (event) => {
    event.preventDefault();
    leave();
  });
  document.body.append(made);
  return made;
}

// content is what the form would send, so far as it was typed.
function content(form) {
  return new URLSearchParams(new FormData(form)).toString();
}

function unsaved() {
  return !sure && content(dialog.querySelector("form")) !== typed;
}

function leave() {
  if (unsaved()) askFirst();
  else history.back(); // and that closes it
}

function close() {
  dialog.close();
  dialog.querySelector("form")?.remove();
  opener?.focus();
}

// askFirst keeps what was typed from getting lost by accident.
function askFirst() {
  const foot = dialog.querySelector(".form-foot");
  let bar = foot.querySelector("[data-unsaved]");
  if (!bar) {
    bar = Object.assign(document.createElement("div"), { className: "s-notice s-notice__warning py8 px12 d-flex ai-center g8 fw-wrap w100" });
    bar.dataset.unsaved = "";
    bar.setAttribute("role", "alert");
    const words = Object.assign(document.createElement("span"), { className: "fl1", textContent: "You have unsaved changes." });
    const stay = Object.assign(document.createElement("button"), { type: "button", className: "s-btn s-btn__sm s-btn__filled", textContent: "Keep editing" });
    const discard = Object.assign(document.createElement("button"), { type: "button", className: "s-btn s-btn__sm s-btn__outlined s-btn__danger", textContent: "Discard" });
    stay.addEventListener("click", () => {
      bar.remove();
      dialog.querySelector("form").elements.name?.focus();
    });
    discard.addEventListener("click", () => {
      sure = true;
      history.back();
    });
    bar.append(words, stay, discard);
    foot.prepend(bar);
  }
  bar.querySelector("button").focus();
}
