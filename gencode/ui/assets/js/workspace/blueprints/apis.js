// The tab of the apis and business flows: what the application does beyond storing records.

import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { elementList } from "./element_list.js";
import { cell, choiceOf, field, idOf, longOf, orNull, small, textOf, tickOf, words } from "./inputs.js";
import { ACTIONS, FIELD_TYPES, METHODS, nameOf, newApi, newFlow } from "./spec.js";

export function apisTab(draft, chosen, { address, go }) {
  const links = { tab: "apis", address, go };
  const parts = [
    elementList(draft, {
      list: "apis",
      make: newApi,
      note: (api) => `${api.method} ${api.path}`,
      texts: { title: "bpApis", none: "bpNoApis", add: "bpAddApi" },
      chosen,
      editor: (api) => apiEditor(draft, api),
      links,
    }),
    elementList(draft, {
      list: "businessFlows",
      make: newFlow,
      note: (flow) => t("bpStepCount", flow.steps.length),
      texts: { title: "bpFlows", none: "bpNoFlows", add: "bpAddFlow" },
      chosen: draft.spec.apis.some(({ id }) => id === chosen) ? null : chosen,
      editor: (flow) => flowEditor(draft, flow),
      links,
    }),
  ];
  return {
    element: h("div", { class: "stack" }, ...parts.map((one) => one.element)),
    update: () => parts.forEach((one) => one.update()),
  };
}

const none = () => [["", t("bpNothing")]];
const named = (elements) => [...none(), ...elements.map((one) => [one.id, nameOf(one)])];

function common(draft, element, id) {
  return [
    field(t("bpName"), textOf(draft, element, "name", id("name")), t("bpNameHint")),
    field(t("bpLabel"), textOf(draft, element, "label", id("label")), t("bpLabelHint")),
  ];
}

function apiEditor(draft, api) {
  const id = (key) => idOf("api", key);
  const choose = (key, pairs) => choiceOf(draft, api, key, id(key), pairs, orNull);
  return [
    h(
      "div",
      { class: "grid" },
      ...common(draft, api, id),
      field(t("bpMethod"), choiceOf(draft, api, "method", id("method"), METHODS.map((one) => [one, one]))),
      field(t("bpPath"), textOf(draft, api, "path", id("path")), t("bpApiPathHint")),
      field(t("bpBoundTo"), choose("entity", named(draft.spec.dataModels))),
      field(t("bpAction"), choose("action", [...none(), ...words(ACTIONS, "bpActions")])),
      field(t("bpRunsFlow"), choose("flow", named(draft.spec.businessFlows))),
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

function flowEditor(draft, flow) {
  const id = (key) => idOf("flow", key);
  return [
    h(
      "div",
      { class: "grid" },
      ...common(draft, flow, id),
      field(t("bpBoundTo"), choiceOf(draft, flow, "entity", id("entity"), named(draft.spec.dataModels), orNull)),
      field(t("description"), longOf(draft, flow, "description", id("description"))),
    ),
    steps(draft, flow),
  ];
}

function steps(draft, flow) {
  const add = () =>
    draft.edit(() => flow.steps.push({ text: t("bpNewStep") }), { focus: idOf("step", flow.steps.length) });
  return h(
    "div",
    { class: "stack tight" },
    h("h4", {}, t("bpSteps")),
    h("ol", { class: "steps" }, ...flow.steps.map((step, at) => stepLine(draft, flow, step, at))),
    draft.isOpen && h("div", { class: "buttons" }, h("button", { type: "button", class: "button", id: "add-step", onclick: add }, icon("plus"), t("bpAddStep"))),
  );
}

function stepLine(draft, flow, step, at) {
  const area = longOf(draft, step, "text", idOf("step", at));
  area.setAttribute("aria-label", t("bpStep", at + 1));
  const remove = () => draft.edit(() => flow.steps.splice(at, 1), { focus: "add-step" });
  return h("li", {}, area, draft.isOpen && small("bin", t("bpRemove", t("bpStep", at + 1)), remove));
}
