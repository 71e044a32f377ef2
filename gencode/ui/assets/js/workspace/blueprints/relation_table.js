// The relations of an entity, and which of its fields are unique together.

import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { cell, choiceOf, idOf, orNull, slot, small, textOf, tickOf, words } from "./inputs.js";
import { ON_DELETE, RELATION_TYPES, endsOf, nameOf, newConstraint, newRelation } from "./spec.js";

const COLUMNS = ["name", "label", "relationType", "target", "inverseName", "required", "onDelete", "joinTable"];

export function relationTable(draft, entity, path) {
  const add = () => {
    const made = newRelation(entity.relations, entity.id);
    draft.edit(() => entity.relations.push(made), { focus: idOf("relation", made.id, "name") });
  };
  const columns = draft.isOpen ? [...COLUMNS, "actions"] : COLUMNS;
  const table = h(
    "div",
    { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": "relations-title" },
    h(
      "table",
      { class: "elements" },
      h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, t("bpColumns")[name])))),
      h("tbody", {}, ...entity.relations.flatMap((one, at) => rows(draft, entity, one, at, path, columns.length))),
    ),
  );
  return h(
    "div",
    { class: "stack tight" },
    h("h3", { id: "relations-title" }, t("bpRelations")),
    entity.relations.length > 0 ? table : h("p", { class: "note" }, t("bpNoRelations")),
    draft.isOpen &&
      h("div", { class: "buttons" }, h("button", { type: "button", class: "button", id: "add-relation", onclick: add }, icon("plus"), t("bpAddRelation"))),
  );
}

function rows(draft, entity, relation, at, path, columns) {
  const id = (key) => idOf("relation", relation.id, key);
  const label = (column) => t("bpCell", t("bpColumns")[column], relation.name);
  const text = (key) => cell(label(key), textOf(draft, relation, key, id(key)));
  const entities = draft.spec.dataModels.map((one) => [one.id, nameOf(one)]);
  const types = RELATION_TYPES.map((type) => [type, `${t("bpRelationTypes")[type]} (${endsOf({ ...relation, type }).join(" → ")})`]);
  const onDelete = [["", t("default")], ...words(ON_DELETE, "bpOnDelete")];
  const next = entity.relations[at + 1] || entity.relations[at - 1];
  const remove = () =>
    draft.edit(() => entity.relations.splice(at, 1), { focus: next ? idOf("relation", next.id, "remove") : "add-relation" });
  return [
    h(
      "tr",
      {},
      text("name"),
      text("label"),
      cell(label("relationType"), choiceOf(draft, relation, "type", id("type"), types, { redraws: true })),
      cell(label("target"), choiceOf(draft, relation, "target", id("target"), entities)),
      text("inverseName"),
      relation.type === "ManyToMany"
        ? h("td", { class: "ticks" }, "–")
        : cell(label("required"), tickOf(draft, relation, "required", id("required"), { redraws: true }), { class: "ticks" }),
      cell(label("onDelete"), choiceOf(draft, relation, "onDelete", id("onDelete"), onDelete, orNull)),
      relation.type === "ManyToMany" ? text("joinTable") : h("td", { class: "ticks" }, "–"),
      draft.isOpen && h("td", { class: "actions" }, small("bin", t("bpRemove", relation.name), remove, { id: id("remove") })),
    ),
    slot(`${path}/relations/${relation.id}`, "tr", { "data-columns": columns }),
  ];
}

export function constraints(draft, entity, path) {
  const all = [...entity.fields, ...entity.relations];
  if (!all.length) return null;
  const add = () => {
    const made = newConstraint([all[0].id]);
    draft.edit(() => entity.uniqueConstraints.push(made), { focus: idOf("unique", made.id) });
  };
  return h(
    "div",
    { class: "stack tight" },
    h("h3", {}, t("bpConstraints")),
    ...entity.uniqueConstraints.map((one, at) => constraint(draft, entity, one, at, all, path)),
    draft.isOpen &&
      h("div", { class: "buttons" }, h("button", { type: "button", class: "button", id: "add-unique", onclick: add }, icon("plus"), t("bpAddConstraint"))),
  );
}

function constraint(draft, entity, one, at, all, path) {
  const named = one.fields.map((id) => nameOf(all.find((other) => other.id === id) || { id })).join(" + ");
  const select = h(
    "select",
    { id: idOf("unique", one.id), multiple: true, size: Math.min(5, all.length), "aria-label": t("bpUniqueTogether", at + 1) },
    ...all.map(({ id, name }) => h("option", { value: id, selected: one.fields.includes(id) }, name)),
  );
  select.addEventListener("change", () => {
    const chosen = [...select.selectedOptions].map(({ value }) => value);
    if (chosen.length) draft.edit(() => (one.fields = chosen), { focus: select.id });
  });
  const remove = () => draft.edit(() => entity.uniqueConstraints.splice(at, 1), { focus: "add-unique" });
  return h(
    "div",
    { class: "constraint" },
    h("p", {}, named),
    select,
    draft.isOpen && small("bin", t("bpRemove", named), remove),
    slot(`${path}/uniqueConstraints/${one.id}`),
  );
}
