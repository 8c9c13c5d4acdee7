const pause = 150; // ms after the last change

// serveSuggestions fills the list of a text field that chooses one of many
// with what is like the text in it.
export function serveSuggestions() {
  let timer, asked = 0;
  const offer = async (input) => {
    const mine = ++asked;
    const query = new URLSearchParams({ q: input.value });
    const other = input.dataset.suggestWith;
    if (other) query.set(other, input.form.elements[other].value);
    try {
      const response = await fetch(`${input.dataset.suggest}?${query}`);
      const choices = response.ok ? await response.json() : [];
      if (mine === asked) input.list?.replaceChildren(...choices.map((c) => new Option(c.label, c.value)));
    } catch {
      // What is in the list stays.
    }
  };
  const field = (event) => event.target.closest?.("input[data-suggest]");
  document.addEventListener("input", (event) => {
    const input = field(event);
    if (!input) return;
    clearTimeout(timer);
    timer = setTimeout(offer, pause, input);
  });
  document.addEventListener("focusin", (event) => {
    const input = field(event);
    if (input) offer(input);
  });
}
