// The controls of the editor. Each shows one property of an element and edits it.

import { choice } from "../../controls.js";
import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { nameOf } from "./spec.js";

/** Names controls: ids that are unique on the page and the same each time it is drawn. */
export const idOf = (...parts) => parts.join("-").replace(/[^A-Za-z0-9_-]/g, (sign) => `.${sign.codePointAt(0)}`);

/**
 * A control of `target[key]`.
 * @param draft    the blueprint that is edited
 * @param input    the control; `read` and `show` translate between its text and the value
 * @param redraws  other controls depend on it
 */
export function bound(draft, input, target, key, { read = (text) => text, show = (value) => value ?? "", redraws } = {}) {
  if (input.type === "checkbox") input.checked = Boolean(target[key]);
  else input.value = show(target[key]);
  const edit = () => {
    const value = input.type === "checkbox" ? input.checked : read(input.value);
    if (value === undefined) return input.setAttribute("aria-invalid", "true");
    input.removeAttribute("aria-invalid");
    draft.edit(() => (target[key] = value), { of: input.id, focus: redraws ? input.id : null });
  };
  input.addEventListener(redraws ? "change" : "input", edit);
  return input;
}

const plain = (attributes) =>
  h("input", { autocomplete: "off", autocapitalize: "none", spellcheck: "false", ...attributes });

export const textOf = (draft, target, key, id, options) => bound(draft, plain({ id }), target, key, options);
export const longOf = (draft, target, key, id, rows = 2) => bound(draft, h("textarea", { id, rows }), target, key);
export const tickOf = (draft, target, key, id, options) =>
  bound(draft, h("input", { type: "checkbox", id }), target, key, options);
export const numberOf = (draft, target, key, id, isWhole = true) =>
  bound(draft, plain({ id, inputmode: isWhole ? "numeric" : "decimal", class: "short" }), target, key, {
    read: (text) => (text.trim() === "" ? null : isNumber(text, isWhole) ? Number(text) : undefined),
  });

const isNumber = (text, isWhole) => (isWhole ? /^\s*\d{1,9}\s*$/ : /^\s*-?\d{1,15}(\.\d{1,15})?\s*$/).test(text);

/** `pairs`: [value, name]; a value that is none of them is an option of its own. */
export function choiceOf(draft, target, key, id, pairs, options = {}) {
  const value = target[key] ?? "";
  const all = pairs.some(([one]) => one === value) ? pairs : [...pairs, [value, value || t("bpNone")]];
  const select = choice(all);
  select.id = id;
  return bound(draft, select, target, key, options);
}

/** The empty choice is null. */
export const orNull = { read: (text) => text || null };

/** Options that name elements, or none of them. */
export const orNothing = (elements) => [["", t("bpNothing")], ...elements.map((one) => [one.id, nameOf(one)])];

export const words = (names, group) => names.map((name) => [name, t(group)[name] || name]);

/** A control with its label above it. */
export function field(label, control, hint) {
  const below = hint && h("small", { id: `${control.id}-hint` }, hint);
  if (hint) control.setAttribute("aria-describedby", below.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, below);
}

/** The fields of what an element is called. `id`: (key) => the id of a control. */
export const names = (draft, element, id) => [
  field(t("bpName"), textOf(draft, element, "name", id("name")), t("bpNameHint")),
  field(t("bpLabel"), textOf(draft, element, "label", id("label")), t("bpLabelHint")),
];

/** A control in a table: its column and its row say what it is. */
export function cell(label, control, attributes = {}) {
  control.setAttribute("aria-label", label);
  return h("td", attributes, control);
}

/** A button that shows an icon, or a sign, and is named for its row. */
export function small(sign, label, onclick, attributes = {}) {
  const content = sign.length > 2 ? icon(sign) : sign;
  return h("button", { type: "button", class: "button quiet small", "aria-label": label, title: label, onclick, ...attributes }, content);
}

/** Where the findings of an element stand; `finding_slots.js` fills it. */
export const slot = (path, tag = "div", attributes = {}) => h(tag, { "data-findings": path, class: "found-here", ...attributes });
