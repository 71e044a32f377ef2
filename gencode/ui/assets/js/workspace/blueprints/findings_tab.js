// The tab of the findings: all of them, each with a link to its element, and the button that mends all errors.

import { announce, fill, h } from "../../dom.js";
import { t } from "../../words.js";
import { elementLink } from "./element_links.js";
import { note } from "./finding_slots.js";
import { errorsOf } from "./obstacles.js";

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
    const errors = errorsOf(draft);
    words.textContent = draft.problem
      ? formOf(draft)
      : draft.findings.length
        ? t("bpFindings", errors, draft.findings.length - errors)
        : t("bpNoFindings");
    all.hidden = !draft.repaired || !draft.findings.some(({ severity, fix }) => fix && severity === "error");
    fill(rows, ...draft.findings.map((one) => h("li", {}, note(draft, one, elementLink(draft.spec, one.element, address)))));
  }
  return { element, update };
}

/** The document cannot be validated: what is wrong with its form. */
export function formOf({ problem }) {
  const first = problem.errors?.[0];
  return t("bpNotValidated", first ? `${first.field}: ${first.message}` : problem.message);
}
