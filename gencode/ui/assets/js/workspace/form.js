// The form of a resource, made from the declarations of its fields (see sections.js).

import { modelSelect, refInput, rowSelect } from "../choices.js";
import { choice, labelled, text } from "../controls.js";
import { h } from "../dom.js";
import { t } from "../words.js";

/** The controls of these fields, filled with the values of a row. */
export function controls(fields, row) {
  const [first, more] = [fields.filter((field) => !field.more), fields.filter((field) => field.more)];
  return [
    ...first.map((field) => control(field, row)),
    more.length > 0 &&
      h(
        "details",
        {},
        h("summary", {}, t("moreOptions")),
        h("div", { class: "grid" }, ...more.map((field) => control(field, row))),
      ),
  ];
}

function control(field, row) {
  const value = row ? valueAt(row, field.name) : field.initial;
  if (field.type === "tick") return tick(field, value);
  const input = MAKERS[field.type || "text"](field, row);
  if (field.type !== "secret" && value != null) input.value = shown(value);
  if (field.once && row) input.disabled = true;
  if (field.required && !(field.type === "secret" && row)) input.required = true;
  return labelled(field.name, t(field.label), field.hint ? t(field.hint) : "", input);
}

/** The value of that name; `config.port` is within an object. */
const valueAt = (row, name) => name.split(".").reduce((value, part) => value?.[part], row);

function shown(value) {
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value !== "object") return value;
  return Object.entries(value).map((pair) => pair.join("=")).join("\n");
}

const MAKERS = {
  text: (field) => text(field.optional ? t("default") : ""),
  long: (field) => h("textarea", { rows: field.rows || 8, spellcheck: "false" }),
  lines: (field) => h("textarea", { rows: field.rows || 4, spellcheck: "false" }),
  number: () => text("", "numeric"),
  decimal: () => text("", "decimal"),
  tags: () => text(""),
  model: modelSelect,
  row: (field) => rowSelect(field.of, field.optional ? t(field.none || "default") : ""),
  ref: (field) => refInput(field.of),
  choice: (field) => choice(field.options.map((option) => [option, field.names ? t(field.names)[option] : option])),
  secret: (field, row) =>
    h("input", {
      type: "password",
      autocomplete: "off",
      spellcheck: "false",
      placeholder: row?.[field.shown] ? t("secretKept") : "",
    }),
};

function tick(field, value) {
  const input = h("input", { type: "checkbox", id: field.name, name: field.name });
  input.checked = Boolean(value);
  const hint = field.hint && h("small", {}, t(field.hint));
  return h("label", { class: "tick" }, input, h("span", {}, t(field.label), hint));
}

/** Makes what is below `root` something to read only; its text can still be selected. */
export function freeze(root) {
  for (const control of root.querySelectorAll("input, textarea, select"))
    if (control.matches("textarea, input:not([type=checkbox])")) control.readOnly = true;
    else control.disabled = true;
}

/** What the form says: every field of a new row, and of a known one those that differ. An object is said as a whole. */
export function values(form, fields, row) {
  const found = {};
  const said = new Set();
  for (const field of fields) {
    const value = read(form.elements.namedItem(field.name), field);
    const isEmpty = value === null || value === "";
    const isSaid = row ? !same(value, valueAt(row, field.name)) && !untouched(field, value) : !isEmpty;
    const [name, part] = field.name.split(".");
    if (isSaid) said.add(name);
    if (!part) found[name] = value;
    else found[name] = { ...found[name], ...(isEmpty ? {} : { [part]: value }) };
  }
  return Object.fromEntries(Object.entries(found).filter(([name]) => said.has(name)));
}

/** A secret that is not typed again stays as it is. */
const untouched = (field, value) => field.type === "secret" && !value;

const same = (one, other) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

function read(control, field) {
  if (field.type === "tick") return control.checked;
  if (field.type === "lines") return pairs(control.value);
  const said = field.type === "long" || field.type === "secret" ? control.value : control.value.trim();
  if (field.type === "tags") return said.split(",").map((tag) => tag.trim()).filter(Boolean);
  if (said === "" && field.optional) return null;
  if (field.type !== "number") return said;
  return /^\d+(\.\d+)?$/.test(said) ? Number(said) : said;
}

/** Lines such as NAME=value. */
function pairs(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(lines.map((line) => [line.split("=", 1)[0].trim(), line.slice(line.indexOf("=") + 1 || line.length)]));
}
