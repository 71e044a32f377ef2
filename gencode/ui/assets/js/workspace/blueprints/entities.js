// The tab of the data models: their list, the diagram, and the editor of one of them.

import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { sure } from "../resource.js";
import { diagram } from "./diagram.js";
import { fieldTable } from "./field_table.js";
import { filteredList } from "./filtered_list.js";
import { field, idOf, longOf, names, slot, textOf } from "./inputs.js";
import { constraints, relationTable } from "./relation_table.js";
import { linksOf, nameOf, newEntity } from "./spec.js";

/** @param go  (element, tab) shows another element */
export function entitiesTab(draft, chosen, { address, go }) {
  const graph = diagram((id) => address("models", id));
  const list = filteredList("ul", t("bpTabs").models);
  const entity = draft.spec.dataModels.find(({ id }) => id === chosen);
  const add = h("button", { type: "button", class: "button", id: "add-entity", onclick: create }, icon("plus"), t("bpAddEntity"));
  const element = h(
    "div",
    { class: "stack" },
    draft.isOpen && h("div", { class: "buttons" }, add),
    list.element,
    draft.spec.dataModels.length > 0 ? graph.element : h("p", { class: "note" }, t("bpNoEntities")),
    entity && editor(draft, entity, { address, go }),
    chosen && !entity && h("p", { class: "note" }, t("bpElementGone")),
  );

  function create() {
    const made = newEntity(draft.spec.dataModels);
    draft.edit(({ dataModels }) => dataModels.push(made));
    go("models", made.id);
  }

  function update() {
    list.update(draft.spec.dataModels.map((one) => item(draft, one, one.id === chosen, address)));
    if (draft.spec.dataModels.length) graph.update(draft, chosen);
  }
  return { element, update };
}

function item(draft, entity, isChosen, address) {
  const found = draft.below(`dataModels/${entity.id}`).length;
  const targets = entity.relations.map(({ target }) => draft.spec.dataModels.find(({ id }) => id === target)).filter(Boolean);
  const notes = [
    t("bpFieldCount", entity.fields.length),
    targets.length > 0 && `→ ${targets.map(nameOf).join(", ")}`,
    found > 0 && t("bpFindingCount", found),
  ];
  return h(
    "li",
    {},
    h("a", { href: address("models", entity.id), "aria-current": isChosen ? "true" : null }, nameOf(entity)),
    h("span", { class: "row-note" }, notes.filter(Boolean).join(" · ")),
  );
}

function editor(draft, entity, { address, go }) {
  const path = `dataModels/${entity.id}`;
  const id = (key) => idOf("entity", key);
  const remove = async () => {
    if (!(await sure(t("removeSure", nameOf(entity)), t("removeYes")))) return;
    draft.edit((spec) => spec.dataModels.splice(spec.dataModels.indexOf(entity), 1));
    go("models");
  };
  return h(
    "section",
    { class: "editor", "aria-labelledby": "element-title" },
    h(
      "div",
      { class: "head-line" },
      h("h2", { id: "element-title", tabindex: "-1" }, t("bpEntity", nameOf(entity))),
      h("span", { class: "spring" }),
      draft.isOpen && h("button", { type: "button", class: "button danger", onclick: remove }, t("remove")),
    ),
    slot(path),
    h(
      "div",
      { class: "grid" },
      ...names(draft, entity, id),
      field(t("bpTable"), textOf(draft, entity, "table", id("table")), t("bpTableHint")),
      field(t("description"), longOf(draft, entity, "description", id("description"))),
    ),
    fieldTable(draft, entity, path),
    relationTable(draft, entity, path),
    incoming(draft, entity, address),
    constraints(draft, entity, path),
  );
}

/** The relations of others to this entity, which are edited there. */
function incoming(draft, entity, address) {
  const links = linksOf(draft.spec).filter(({ from, to }) => to === entity.id && from !== entity.id);
  const named = (id) => draft.spec.dataModels.find((one) => one.id === id);
  return (
    links.length > 0 &&
    h(
      "div",
      {},
      h("h3", {}, t("bpIncoming")),
      h(
        "ul",
        { class: "element-list" },
        ...links.map(({ from, relation, ends }) =>
          h(
            "li",
            {},
            h("a", { href: address("models", from) }, `${nameOf(named(from))}.${relation.name}`),
            h("span", { class: "row-note" }, `${relation.type} (${ends.join(" → ")})`),
          ),
        ),
      ),
    )
  );
}
