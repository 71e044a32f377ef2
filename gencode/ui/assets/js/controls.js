// The controls of forms, each with its label, its hint, and the place of a complaint.

import { h } from "./dom.js";
import { t } from "./words.js";

export function labelled(name, label, hint, control) {
  control.id = name;
  control.setAttribute("name", name);
  control.setAttribute("aria-describedby", `${hint ? `${name}-hint ` : ""}${name}-wrong`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: name }, label),
    control,
    hint && h("small", { id: `${name}-hint` }, hint),
    h("p", { class: "wrong", id: `${name}-wrong` }),
  );
}

export const text = (placeholder, inputmode) =>
  h("input", { placeholder, inputmode, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
export const choice = (pairs) => h("select", {}, ...pairs.map(([value, name]) => h("option", { value }, name)));

/** Texts that a press puts into the control of that name. */
export function examples(name, texts) {
  const use = ({ target }) => {
    const control = target.closest("form").elements.namedItem(name);
    control.value = target.textContent;
    control.dispatchEvent(new Event("input", { bubbles: true }));
    control.focus();
  };
  const chips = texts.map((one) => h("button", { type: "button", class: "chip", onclick: use }, one));
  return h("div", { class: "examples", role: "group", "aria-label": t("examples") }, ...chips);
}

/** Puts a complaint beside the control of that name; false if the form has none. */
export function mark(form, name, message) {
  const control = form.elements.namedItem(name);
  const note = form.querySelector(`[id="${CSS.escape(name)}-wrong"]`);
  if (!control || !note) return false;
  note.textContent = message;
  if (message) control.setAttribute("aria-invalid", "true");
  else control.removeAttribute("aria-invalid");
  return true;
}

/** Goes to the first control with a complaint; false if there is none. */
export function attend(form) {
  const first = form.querySelector("[aria-invalid]");
  if (!first) return false;
  first.closest("details")?.setAttribute("open", "");
  first.focus();
  return true;
}
