// The tab of the business flows: what the application does, step by step.

import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { elementList } from "./element_list.js";
import { choiceOf, field, idOf, longOf, names, orNothing, orNull, small } from "./inputs.js";
import { newFlow } from "./spec.js";

export const flowsTab = (draft, chosen, { address, go }) =>
  elementList(draft, {
    list: "businessFlows",
    make: newFlow,
    note: (flow) => t("bpStepCount", flow.steps.length),
    texts: { title: "bpFlows", none: "bpNoFlows", add: "bpAddFlow" },
    chosen,
    editor: (flow) => editor(draft, flow),
    links: { tab: "flows", address, go },
  });

function editor(draft, flow) {
  const id = (key) => idOf("flow", key);
  return [
    h(
      "div",
      { class: "grid" },
      ...names(draft, flow, id),
      field(t("bpBoundTo"), choiceOf(draft, flow, "entity", id("entity"), orNothing(draft.spec.dataModels), orNull)),
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
