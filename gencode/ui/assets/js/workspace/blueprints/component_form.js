// The form of a component: its type, what it is bound to, what its events do, and its further properties.

import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { bound, choiceOf, field, idOf, names, small, textOf, words } from "./inputs.js";
import { ACTIONS, COMPONENT_TYPES, nameOf } from "./spec.js";

/** `redraw`: shows the tree again, whose words have changed. */
export function componentForm(draft, component, redraw) {
  const id = (key) => idOf("component", key);
  const types = words(COMPONENT_TYPES, "bpComponentTypes");
  return h(
    "fieldset",
    { class: "component-form", disabled: !draft.isOpen },
    h("legend", {}, nameOf(component)),
    h(
      "div",
      { class: "grid" },
      ...names(draft, component, id),
      field(t("bpColumns").type, choiceOf(draft, component, "type", id("type"), types)),
      field(t("bpBoundTo"), entityOf(draft, component, id("entity"), redraw)),
      component.dataBinding && field(t("bpAction"), choiceOf(draft, component.dataBinding, "action", id("action"), words(ACTIONS, "bpActions"))),
      component.dataBinding && field(t("bpBoundFields"), fieldsOf(draft, component.dataBinding, id("fields")), t("bpBoundFieldsHint")),
      field(t("bpProps"), propsOf(draft, component, id("props")), t("bpPropsHint")),
    ),
    events(draft, component, redraw),
  );
}

function entityOf(draft, component, id, redraw) {
  const select = h("select", { id }, h("option", { value: "" }, t("bpNothing")), ...draft.spec.dataModels.map((one) => h("option", { value: one.id }, nameOf(one))));
  select.value = component.dataBinding?.entity || "";
  select.addEventListener("change", () => {
    const { action = "list" } = component.dataBinding || {};
    draft.edit(() => (component.dataBinding = select.value ? { entity: select.value, action, fields: [] } : null));
    redraw();
    document.getElementById(id).focus();
  });
  return select;
}

function fieldsOf(draft, binding, id) {
  const entity = draft.spec.dataModels.find((one) => one.id === binding.entity);
  const all = entity ? [...entity.fields, ...entity.relations] : [];
  const select = h(
    "select",
    { id, multiple: true, size: Math.max(2, Math.min(6, all.length)) },
    ...all.map((one) => h("option", { value: one.id, selected: binding.fields.includes(one.id) }, nameOf(one))),
  );
  select.addEventListener("change", () => draft.edit(() => (binding.fields = [...select.selectedOptions].map(({ value }) => value)), { of: id }));
  return select;
}

/** As JSON; what is none is not taken over. */
function propsOf(draft, component, id) {
  const area = h("textarea", { id, rows: 3, spellcheck: "false" });
  return bound(draft, area, component, "props", { show: (props) => JSON.stringify(props, null, 1), read: parsed });
}

function parsed(text) {
  try {
    const value = JSON.parse(text || "{}");
    return value && typeof value === "object" && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const TARGETS = { page: "pages", api: "apis", flow: "businessFlows" };

function events(draft, component, redraw) {
  const add = () => {
    draft.edit(() => component.events.push({ on: "click", page: null, api: null, flow: null }));
    redraw();
    document.getElementById(idOf("event", component.events.length - 1, "on")).focus();
  };
  return h(
    "div",
    { class: "stack tight" },
    h("h5", {}, t("bpEvents")),
    ...component.events.map((event, at) => eventLine(draft, component, event, at, redraw)),
    draft.isOpen && h("div", { class: "buttons" }, h("button", { type: "button", class: "button", id: "add-event", onclick: add }, icon("plus"), t("bpAddEvent"))),
  );
}

function eventLine(draft, component, event, at, redraw) {
  const on = textOf(draft, event, "on", idOf("event", at, "on"));
  on.setAttribute("aria-label", t("bpEventOn", at + 1));
  const options = Object.entries(TARGETS).flatMap(([kind, list]) =>
    draft.spec[list].map((one) => h("option", { value: `${kind} ${one.id}` }, `${t("bpTargets")[kind]}: ${nameOf(one)}`)),
  );
  const target = h("select", { id: idOf("event", at, "target"), "aria-label": t("bpEventTarget", at + 1) }, h("option", { value: "" }, t("bpNothing")), ...options);
  const kind = Object.keys(TARGETS).find((one) => event[one]);
  target.value = kind ? `${kind} ${event[kind]}` : "";
  target.addEventListener("change", () => {
    const [chosen, ...rest] = target.value.split(" ");
    const none = { page: null, api: null, flow: null };
    draft.edit(() => Object.assign(event, none, chosen ? { [chosen]: rest.join(" ") } : {}));
  });
  const remove = () => {
    draft.edit(() => component.events.splice(at, 1));
    redraw();
    document.getElementById("add-event").focus();
  };
  return h("div", { class: "event-line" }, on, target, draft.isOpen && small("bin", t("bpRemove", event.on), remove));
}
