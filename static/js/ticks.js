// A choice below a radio chooses the radio as well.
export function serveTicks() {
  for (const list of document.querySelectorAll("[data-ticks]")) {
    list.addEventListener("input", () => { document.getElementById(list.dataset.ticks).checked = true; });
  }
}
