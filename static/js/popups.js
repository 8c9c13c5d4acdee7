// A pop-up of the bar or a menu closes by Escape or by a click elsewhere.
export function servePopups() {
  const open = () => document.querySelectorAll("details.more[open]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const popup of open()) {
      if (popup.contains(document.activeElement)) popup.querySelector("summary").focus();
      popup.open = false;
    }
  });
  document.addEventListener("click", (event) => {
    for (const popup of open()) {
      if (!popup.contains(event.target)) popup.open = false;
    }
  });
}
