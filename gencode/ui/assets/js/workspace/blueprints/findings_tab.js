// The tab of the findings: all of them, each with a link to its element, and the button that mends all errors.

import { announce, fill, h } from "../../dom.js";
import { t } from "../../words.js";
import { note } from "./finding_slots.js";
import { find, nameOf } from "./spec.js";

const TABS = { dataModels: "models", pages: "pages", apis: "apis", businessFlows: "flows" };

export function findingsTab(draft, _chosen, { address }) {
  const rows = h("ul", { class: "stack tight", "aria-label": t("bpTabs").findings });
  const words = h("p", { class: "note", role: "status" });
  const all = h("button", { type: "button", class: "button", id: "fix-all", onclick: mend }, t("bpFixAll"));
  const element = h("div", { class: "stack" }, h("div", { class: "buttons" }, draft.isOpen && all, words), rows);

  function mend() {
    const { repaired } = draft;
    draft.edit(() => (draft.spec = structuredClone(repaired)), { focus: "blueprint-tab" });
    announce(t("bpFixApplied"));
  }

  function update() {
    const errors = draft.findings.filter(({ severity }) => severity === "error").length;
    words.textContent = draft.problem
      ? formOf(draft)
      : draft.findings.length
        ? t("bpFindings", errors, draft.findings.length - errors)
        : t("bpNoFindings");
    all.hidden = !draft.repaired || !draft.findings.some(({ severity, fix }) => fix && severity === "error");
    fill(rows, ...draft.findings.map((one) => h("li", {}, note(draft, one, placeOf(draft, one, address)))));
  }
  return { element, update };
}

/** A link to the element of a finding, by its names. */
function placeOf(draft, { element: path }, address) {
  const parts = path.split("/");
  if (parts.length < 2) return h("a", { href: address("application") }, t("bpTabs").application);
  const names = [];
  for (let at = 2; at <= parts.length; at += 2) {
    const found = find(draft.spec, parts.slice(0, at).join("/"));
    names.push(found ? nameOf(found.siblings[found.index]) : parts[at - 1]);
  }
  return h("a", { href: address(TABS[parts[0]] || "application", parts[1]) }, names.join(" / "));
}

/** The document cannot be validated: what is wrong with its form. */
export function formOf({ problem }) {
  const first = problem.errors?.[0];
  return t("bpNotValidated", first ? `${first.field}: ${first.message}` : problem.message);
}
