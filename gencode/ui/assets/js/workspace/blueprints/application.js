// The tab of the application as a whole: what it is called, and what it is for.

import { h } from "../../dom.js";
import { t } from "../../words.js";
import { choiceOf, field, longOf, slot, textOf, words } from "./inputs.js";
import { PROJECT_TYPES } from "./spec.js";

export function applicationTab(draft) {
  const { spec } = draft;
  const element = h(
    "div",
    { class: "stack" },
    slot(""),
    h(
      "div",
      { class: "grid" },
      field(t("bpProjectName"), textOf(draft, spec, "projectName", "project-name"), t("bpNameHint")),
      field(t("bpTitle"), textOf(draft, spec, "label", "project-label"), t("bpLabelHint")),
      field(t("projectType"), choiceOf(draft, spec, "projectType", "project-type", words(PROJECT_TYPES, "bpProjectTypes"))),
      h("div", { class: "whole" }, field(t("description"), longOf(draft, spec, "description", "project-description", 6))),
    ),
  );
  return { element, update() {} };
}
