// The list's buttons for several webhooks say how many are chosen, and all of
// a page can be chosen at once.
export function serveBulk(form) {
  const present = () => [...form.querySelectorAll("input[name=id]")]; // rows are renewed
  const all = form.querySelector("[data-bulk-all]");
  if (!all) return;
  all.hidden = false;
  const show = () => {
    const boxes = present();
    const every = form.querySelector("[data-bulk-every]");
    const n = every?.checked ? Number(every.dataset.bulkEvery) : boxes.filter((box) => box.checked).length;
    form.querySelector("[data-bulk-count]").textContent = n ? `${n} selected` : "";
    for (const word of form.querySelectorAll("[data-bulk-n]")) {
      word.textContent = n || "selected";
      word.closest("button").hidden = n === 0;
    }
    for (const box of boxes) {
      box.disabled = Boolean(every?.checked);
      box.closest("tr").classList.toggle("is-picked", box.checked || box.disabled);
    }
    all.checked = n >= boxes.length;
    all.disabled = Boolean(every?.checked);
    all.indeterminate = n > 0 && n < boxes.length;
  };
  form.addEventListener("change", (event) => {
    if (event.target === all) for (const box of present()) box.checked = all.checked;
    show();
  });
  window.addEventListener("pageshow", show); // a page gone back to keeps its ticks
  show();
}
