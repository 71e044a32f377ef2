// The tab of the apis: what the application answers beyond the apis that every data model has.

import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { elementList } from "./element_list.js";
import { cell, choiceOf, field, idOf, longOf, names, orNothing, orNull, small, textOf, tickOf, words } from "./inputs.js";
import { ACTIONS, FIELD_TYPES, METHODS, newApi } from "./spec.js";

export const apisTab = (draft, chosen, { address, go }) =>
  elementList(draft, {
    list: "apis",
    make: newApi,
    note: (api) => `${api.method} ${api.path}`,
    texts: { title: "bpApis", none: "bpNoApis", add: "bpAddApi" },
    chosen,
    editor: (api) => editor(draft, api),
    links: { tab: "apis", address, go },
  });

function editor(draft, api) {
  const id = (key) => idOf("api", key);
  const choose = (key, pairs) => choiceOf(draft, api, key, id(key), pairs, orNull);
  return [
    h(
      "div",
      { class: "grid" },
      ...names(draft, api, id),
      field(t("bpMethod"), choiceOf(draft, api, "method", id("method"), METHODS.map((one) => [one, one]))),
      field(t("bpPath"), textOf(draft, api, "path", id("path")), t("bpApiPathHint")),
      field(t("bpBoundTo"), choose("entity", orNothing(draft.spec.dataModels))),
      field(t("bpAction"), choose("action", [...orNothing([]), ...words(ACTIONS, "bpActions")])),
      field(t("bpRunsFlow"), choose("flow", orNothing(draft.spec.businessFlows))),
      field(t("description"), longOf(draft, api, "description", id("description"))),
    ),
    parameters(draft, api),
  ];
}

function parameters(draft, api) {
  const add = () => {
    const made = { name: `parameter${api.parameters.length + 1}`, in: "query", type: "string", required: false, description: "" };
    draft.edit(() => api.parameters.push(made), { focus: idOf("parameter", api.parameters.length, "name") });
  };
  const columns = ["name", "in", "type", "required", "description", ...(draft.isOpen ? ["actions"] : [])];
  return h(
    "div",
    { class: "stack tight" },
    h("h4", { id: "parameters-title" }, t("bpParameters")),
    api.parameters.length > 0 &&
      h(
        "div",
        { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": "parameters-title" },
        h(
          "table",
          { class: "elements" },
          h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, t("bpColumns")[name])))),
          h("tbody", {}, ...api.parameters.map((one, at) => parameter(draft, api, one, at))),
        ),
      ),
    draft.isOpen && h("div", { class: "buttons" }, h("button", { type: "button", class: "button", id: "add-parameter", onclick: add }, icon("plus"), t("bpAddParameter"))),
  );
}

function parameter(draft, api, one, at) {
  const id = (key) => idOf("parameter", at, key);
  const label = (column) => t("bpCell", t("bpColumns")[column], one.name);
  const remove = () => draft.edit(() => api.parameters.splice(at, 1), { focus: "add-parameter" });
  return h(
    "tr",
    {},
    cell(label("name"), textOf(draft, one, "name", id("name"))),
    cell(label("in"), choiceOf(draft, one, "in", id("in"), words(["path", "query", "body"], "bpPlaces"))),
    cell(label("type"), choiceOf(draft, one, "type", id("type"), words(FIELD_TYPES, "bpTypes"))),
    cell(label("required"), tickOf(draft, one, "required", id("required")), { class: "ticks" }),
    cell(label("description"), textOf(draft, one, "description", id("description"))),
    draft.isOpen && h("td", { class: "actions" }, small("bin", t("bpRemove", one.name), remove)),
  );
}
