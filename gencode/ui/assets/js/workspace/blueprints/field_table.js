// The fields of an entity as a table, in which each can be edited, moved and removed.

import { choice } from "../../controls.js";
import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { bound, cell, choiceOf, idOf, numberOf, slot, small, textOf, tickOf, words } from "./inputs.js";
import { FIELD_TYPES, move, newField } from "./spec.js";

const COLUMNS = ["name", "label", "type", "details", "required", "unique", "index", "default"];
const NUMBERS = ["integer", "bigint", "decimal", "float"];
/** What a type takes besides: properties and whether they are whole numbers. */
const DETAILS = {
  string: [["length", true], ["minLength", true]],
  text: [["minLength", true]],
  binary: [["length", true]],
  decimal: [["precision", true], ["scale", true], ["minimum", false], ["maximum", false]],
  ...Object.fromEntries(["integer", "bigint", "float"].map((type) => [type, [["minimum", false], ["maximum", false]]])),
};

export function fieldTable(draft, entity, path) {
  const add = () => {
    const made = newField(entity.fields);
    draft.edit(() => entity.fields.push(made), { focus: idOf("field", made.id, "name") });
  };
  const columns = draft.isOpen ? [...COLUMNS, "actions"] : COLUMNS;
  return h(
    "div",
    { class: "stack tight" },
    h("h3", { id: "fields-title" }, t("bpFields")),
    h(
      "div",
      { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": "fields-title" },
      h(
        "table",
        { class: "elements" },
        h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, t("bpColumns")[name])))),
        h("tbody", {}, ...entity.fields.flatMap((field, at) => rows(draft, entity, field, at, path, columns.length))),
      ),
    ),
    draft.isOpen &&
      h("div", { class: "buttons" }, h("button", { type: "button", class: "button", id: "add-field", onclick: add }, icon("plus"), t("bpAddField"))),
  );
}

function rows(draft, entity, field, at, path, columns) {
  const id = (key) => idOf("field", field.id, key);
  const label = (column) => t("bpCell", t("bpColumns")[column], field.name);
  const tick = (key) => cell(label(key), tickOf(draft, field, key, id(key)), { class: "ticks" });
  return [
    h(
      "tr",
      {},
      cell(label("name"), textOf(draft, field, "name", id("name"))),
      cell(label("label"), textOf(draft, field, "label", id("label"))),
      cell(label("type"), choiceOf(draft, field, "type", id("type"), words(FIELD_TYPES, "bpTypes"), { redraws: true })),
      h("td", { class: "details-cell" }, ...details(draft, field, id)),
      tick("required"),
      tick("unique"),
      tick("index"),
      cell(label("default"), defaultOf(draft, field, id("default"))),
      draft.isOpen && h("td", { class: "actions" }, ...actions(draft, entity, field, at)),
    ),
    slot(`${path}/fields/${field.id}`, "tr", { "data-columns": columns }),
  ];
}

function actions(draft, entity, field, at) {
  const id = (key) => idOf("field", field.id, key);
  const shift = (by, key) =>
    draft.edit(() => move(entity.fields, at, by), { focus: id(entity.fields[at + 2 * by] ? key : by < 0 ? "down" : "up") });
  const next = entity.fields[at + 1] || entity.fields[at - 1];
  const remove = () =>
    draft.edit(() => entity.fields.splice(at, 1), { focus: next ? idOf("field", next.id, "remove") : "add-field" });
  return [
    small("↑", t("bpMoveUp", field.name), () => shift(-1, "up"), { id: id("up"), disabled: at === 0 }),
    small("↓", t("bpMoveDown", field.name), () => shift(1, "down"), { id: id("down"), disabled: at === entity.fields.length - 1 }),
    small("bin", t("bpRemove", field.name), remove, { id: id("remove") }),
  ];
}

function details(draft, field, id) {
  const named = (key, control) => h("label", { class: "inline" }, h("span", {}, t("bpDetails")[key]), control);
  if (field.type === "enum") return [named("enumValues", enumValues(draft, field, id("enumValues")))];
  return (DETAILS[field.type] || []).map(([key, isWhole]) => named(key, numberOf(draft, field, key, id(key), isWhole)));
}

/** One value a line, with its label after `=`. */
function enumValues(draft, field, id) {
  const area = h("textarea", { id, rows: Math.min(6, field.enumValues.length + 1), spellcheck: "false" });
  return bound(draft, area, field, "enumValues", {
    show: (values) => values.map(({ name, label }) => (label ? `${name} = ${label}` : name)).join("\n"),
    read: (text) =>
      text
        .split("\n")
        .map((line) => line.split(/ = (.*)/s).map((part) => part.trim()))
        .filter(([name]) => name)
        .map(([name, label = ""]) => ({ name, label })),
  });
}

function defaultOf(draft, field, id) {
  if (field.type !== "boolean")
    return textOf(draft, field, "default", id, { read: (text) => defaultValue(field.type, text), show: shown });
  const select = choice([["", t("bpNone")], ["true", t("bpYes")], ["false", t("bpNo")]]);
  select.id = id;
  const read = (text) => (text ? text === "true" : null);
  return bound(draft, select, field, "default", { read, show: (value) => (value === null ? "" : String(value)) });
}

const shown = (value) => (value === null ? "" : typeof value === "string" ? value : JSON.stringify(value));

/** What was typed, as a value of the type; the validator says what does not fit. */
function defaultValue(type, text) {
  if (text === "") return null;
  if (NUMBERS.includes(type) && text.trim() && Number.isFinite(Number(text))) return Number(text);
  if (type !== "json") return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
