import { say } from "./say.js";

const apart = /[,;\n\r\t]+/; // what separates pasted tags

// tagBox turns the field of comma-separated tags into chips with a box to type
// in. The list goes on to be sent in a hidden field of the old name.
export function tagBox(input, { suggest, changed }) {
  const hidden = Object.assign(document.createElement("input"), { type: "hidden", name: input.name });
  const box = element("div", "s-input chips");
  const list = element("ul", "tag-suggestions list-reset");
  list.id = `${input.id}-list`;
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggested tags");
  let tags = split(input.value), chosen = -1, asked = 0;

  const place = element("div", "tag-box");
  input.replaceWith(place);
  input.removeAttribute("name");
  input.classList.remove("s-input");
  input.value = "";
  input.placeholder = "Add a tag";
  for (const [name, value] of [["role", "combobox"], ["aria-expanded", "false"], ["aria-controls", list.id], ["aria-autocomplete", "list"]]) {
    input.setAttribute(name, value);
  }
  box.append(hidden, input);
  place.append(box, list);

  const keep = () => { hidden.value = [...tags, ...split(input.value)].join(", "); };
  const draw = () => {
    for (const chip of box.querySelectorAll(".s-tag")) chip.remove();
    for (const tag of tags) box.insertBefore(chipOf(tag, () => remove(tag)), hidden);
    keep();
  };
  const close = () => {
    list.hidden = true;
    list.replaceChildren();
    chosen = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const add = (text) => {
    const fresh = split(text).filter((tag) => !tags.includes(tag));
    tags.push(...fresh);
    input.value = "";
    asked++;
    close();
    draw();
    if (fresh.length > 0) {
      say(`Added ${fresh.join(", ")}`);
      changed();
    }
  };
  const remove = (tag) => {
    tags = tags.filter((other) => other !== tag);
    draw();
    say(`Removed ${tag}`);
    changed();
    input.focus();
  };
  const choose = (n) => {
    chosen = (n + list.children.length) % list.children.length;
    [...list.children].forEach((option, i) => option.setAttribute("aria-selected", String(i === chosen)));
    input.setAttribute("aria-activedescendant", list.children[chosen].id);
  };
  const offer = async () => {
    const mine = ++asked, prefix = input.value.trim();
    const found = prefix ? (await suggest(prefix)).filter((tag) => !tags.includes(tag)) : [];
    if (mine !== asked || document.activeElement !== input) return;
    close();
    found.forEach((tag, i) => {
      const option = element("li", "s-block-link", tag);
      option.id = `${list.id}-${i}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.addEventListener("mousedown", (event) => { // before the box loses the focus
        event.preventDefault();
        add(tag);
      });
      list.append(option);
    });
    list.hidden = found.length === 0;
    input.setAttribute("aria-expanded", String(found.length > 0));
  };

  input.addEventListener("input", () => {
    if (apart.test(input.value)) add(input.value);
    keep();
    offer();
  });
  input.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!apart.test(text)) return;
    event.preventDefault();
    add(input.value + text);
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const open = !list.hidden;
    if (event.key === "Enter") { // adds a tag, and never sends the form
      add(open && chosen >= 0 ? list.children[chosen].textContent : input.value);
    } else if (open && event.key === "ArrowDown") {
      choose(chosen + 1);
    } else if (open && event.key === "ArrowUp") {
      choose(chosen < 0 ? -1 : chosen - 1);
    } else if (open && event.key === "Escape") {
      close();
      event.stopPropagation(); // the dialog stays
    } else if (event.key === "Backspace" && !input.value && tags.length > 0) {
      remove(tags.at(-1));
    } else {
      return;
    }
    event.preventDefault();
  });
  input.addEventListener("keypress", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  input.addEventListener("blur", () => {
    if (input.value.trim()) add(input.value);
    close();
  });
  box.addEventListener("click", (event) => {
    if (event.target === box) input.focus();
  });
  draw();
}

function split(text) {
  return [...new Set(text.split(apart).map((tag) => tag.trim().toLowerCase()).filter(Boolean))];
}

function element(name, classes, text = "") {
  return Object.assign(document.createElement(name), { className: classes, textContent: text });
}

function chipOf(tag, remove) {
  const chip = element("span", "s-tag");
  const name = document.createElement("bdi");
  name.textContent = tag;
  const button = element("button", "s-tag--dismiss", "×");
  button.type = "button";
  button.setAttribute("aria-label", `Remove tag ${tag}`);
  button.addEventListener("click", remove);
  chip.append(name, button);
  return chip;
}
