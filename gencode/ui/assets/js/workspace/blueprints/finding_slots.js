// Findings, each at its element, with the button that applies its fix.

import { announce, fill, h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { applyFix } from "./spec.js";

/** Fills the slots below `root` with the findings of their elements. */
export function fillSlots(root, draft) {
  for (const place of root.querySelectorAll("[data-findings]")) {
    const found = draft.of(place.dataset.findings);
    const told = JSON.stringify(found);
    if (place.dataset.told === told) continue;
    place.dataset.told = told;
    const notes = found.map((one) => note(draft, one));
    if (place.tagName !== "TR") fill(place, ...notes);
    else fill(place, notes.length > 0 && h("td", { colspan: place.dataset.columns }, ...notes));
    place.hidden = !found.length;
  }
}

/** `at`: a link to its element, for a list of findings. */
export function note(draft, finding, at = null) {
  const { severity, message, fix } = finding;
  return h(
    "div",
    { class: `line-finding ${severity}`, role: "note" },
    icon("warn"),
    h("div", {}, h("p", {}, h("strong", {}, t("bpSeverities")[severity]), " ", at, at && ": ", message), fix && h("p", { class: "note" }, fixText(fix))),
    fix && draft.isOpen && h("button", { type: "button", class: "button", onclick: () => apply(draft, finding) }, t("bpApplyFix")),
  );
}

function apply(draft, finding) {
  let isThere = false;
  draft.edit((spec) => (isThere = applyFix(spec, finding)), { focus: "blueprint-tab" });
  announce(t(isThere ? "bpFixApplied" : "bpElementGone"));
}

function fixText({ changes = {}, remove }) {
  if (remove) return t("bpFixRemoves");
  return t("bpFixSets", Object.entries(changes).map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", "));
}
