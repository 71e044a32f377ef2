// The section of the blueprints: their list, the ways to make one, and the workbench of one.

import { get } from "../../api.js";
import { rowSelect } from "../../choices.js";
import { fill, h, icon } from "../../dom.js";
import { forTab } from "../../storage.js";
import { ago, dated, t } from "../../words.js";
import { heading, said } from "../resource.js";
import { creation } from "./creation.js";
import { workbench } from "./workbench.js";

const PAGE = 50;
const FILTER = "blueprints.project";

/** `id`: of a blueprint, or `new`, or none for the list. */
export function blueprintsView(box, id, tab, element) {
  if (!id) return list(box);
  return id === "new" ? creation(box) : workbench(box, id, tab, element);
}

async function list(box) {
  const rows = h("ul", { class: "cards" });
  const words = h("p", { class: "note", role: "status" }, t("loading"));
  const more = h("button", { class: "button", hidden: true }, t("olderRows"));
  const project = rowSelect("projects", t("bpAllProjects"));
  project.id = "project-filter";
  project.value = forTab.get(FILTER) || "";
  const add = h("a", { class: "button primary", href: "#/workspace/blueprints/new" }, icon("plus"), t("add"));
  const filter = h("div", { class: "field" }, h("label", { for: "project-filter" }, t("bpProject")), project);
  fill(box, heading(t("blueprints"), add), h("p", { class: "lead" }, t("blueprintsLead")), filter, rows, words, more);
  let cursor = null;
  let turn = 0;

  async function load(isFirst) {
    const mine = ++turn;
    try {
      const query = new URLSearchParams({ limit: PAGE, ...(isFirst ? {} : { cursor }), ...(project.value ? { project_id: project.value } : {}) });
      const page = await get(`blueprints?${query}`);
      if (mine !== turn) return;
      if (isFirst) rows.replaceChildren();
      rows.append(...page.items.map(item));
      cursor = page.next_cursor;
      more.hidden = !cursor;
      words.hidden = rows.children.length > 0;
      words.textContent = t("noRows");
    } catch (error) {
      words.hidden = false;
      words.textContent = said(error);
    }
  }
  project.onchange = () => {
    forTab.set(FILTER, project.value || null);
    load(true);
  };
  more.onclick = () => load(false);
  await load(true);
}

function item(row) {
  const words = [
    row.version_tag,
    row.is_draft ? t("bpDraft") : t("bpVersion"),
    t("bpEntityCount", row.entities),
    row.errors > 0 && t("bpErrorCount", row.errors),
    t("changed", ago(row.updated_at, Date.now())),
  ];
  return h(
    "li",
    { class: "card" },
    h("h2", {}, h("a", { href: `#/workspace/blueprints/${row.id}` }, row.name)),
    h("p", { class: "note", title: dated(row.updated_at) }, words.filter(Boolean).join(" · ")),
  );
}
