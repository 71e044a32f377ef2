// What a newer version does to the project of an older one: its tables, its files, and what relies on it.

import { h, icon } from "../../dom.js";
import { number, t } from "../../words.js";

/** What is done to the tables, in order; what loses data is marked and says why. */
export function migrationSteps({ operations }) {
  if (!operations.length) return [h("p", { class: "note" }, t("bpNoMigration"))];
  return [h("ol", { class: "migration" }, ...operations.map(step))];
}

function step({ text, destructive: isDestructive, reason, needs_decision: isUndecided }) {
  const notes = [reason, isUndecided && t("bpNeedsDecision")].filter(Boolean).join(" ");
  return h(
    "li",
    { class: isDestructive ? "destructive" : null },
    isDestructive && icon("warn"),
    text,
    isDestructive && h("strong", {}, ` ${t("bpDestructive")}`),
    notes && h("p", { class: "note" }, notes),
  );
}

export function impactOf({ files, migration, breaks, revision }) {
  const count = (change) => number(files.filter((one) => one.change === change).length);
  return [
    h("h3", {}, t("bpImpact")),
    h("p", {}, t("bpImpactFiles", count("added"), count("changed"), count("removed"))),
    h("details", {}, h("summary", {}, t("bpPreviewFiles")), h("ul", { class: "coverage" }, ...files.map((one) => h("li", { class: one.change }, `${t("bpFileChanges")[one.change]} `, h("code", {}, one.path))))),
    h("h3", {}, t("bpMigration")),
    ...migrationSteps(migration),
    revision && h("details", {}, h("summary", {}, t("bpRevision")), h("pre", { class: "quoted" }, revision)),
    h("h3", {}, t("bpBreaks")),
    breaks.length ? h("ul", { class: "changes" }, ...breaks.map((one) => h("li", { class: "removed" }, one.text))) : h("p", { class: "note" }, t("bpNoBreaks")),
  ];
}
