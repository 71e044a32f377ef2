// The tab of the versions: what this one is called, publishing, a new version, the history, and what was changed.

import { get, post, request } from "../../api.js";
import { labelled, mark, text } from "../../controls.js";
import { announce, fill, h, icon } from "../../dom.js";
import { downloadLink } from "../../download.js";
import { ago, t } from "../../words.js";
import { refuse, said } from "../resource.js";
import { differenceOf } from "./difference.js";
import { migrationSteps } from "./impact.js";
import { tellObstacle } from "./obstacles.js";

export function versionsTab(draft, _chosen, { address }) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const history = h("ol", { class: "element-list ordered", "aria-label": t("bpHistory") });
  const since = h("select", { id: "diff-from", onchange: () => act(compare) });
  const changes = h("div", { class: "stack tight difference", "aria-live": "polite" });
  const tables = h("div", { class: "stack tight" });
  const publish = h("button", { type: "button", class: "button", id: "publish" }, t("bpPublish"));
  const why = h("p", { class: "note", id: "publish-why" });
  publish.setAttribute("aria-describedby", "publish-why");
  publish.onclick = () =>
    act(async () => {
      const answer = await request(`${draft.path}/publish`, { method: "POST", headers: { "If-Match": draft.tag } });
      draft.take(await answer.json(), answer.headers.get("etag"));
      announce(t("bpPublished"));
    });

  async function act(work) {
    trouble.replaceChildren();
    try {
      await work();
    } catch (error) {
      refuse(null, trouble, error);
    }
  }

  async function load() {
    try {
      const { versions } = await get(`${draft.path}/history`);
      fill(history, ...versions.map((one) => item(one, draft, address)));
      const older = versions.slice(1).map((one) => h("option", { value: one.id }, `${one.name} ${one.version_tag}`));
      fill(since, ...older, !older.length && h("option", { value: "" }, t("bpFromNothing")));
      await compare();
    } catch (error) {
      fill(trouble, h("p", {}, said(error)));
    }
  }

  async function compare() {
    const { operations, migration } = await get(`${draft.path}/diff${since.value && `?from=${since.value}`}`);
    fill(changes, ...differenceOf(draft.spec, operations, address));
    fill(tables, ...(migration && since.value ? [h("h3", {}, t("bpMigration")), ...migrationSteps(migration)] : []));
  }

  const element = h(
    "div",
    { class: "stack" },
    draft.isOpen && naming(draft, trouble),
    h("div", { class: "buttons" }, draft.isOpen && publish, ...exporting(draft), why),
    draft.may.change && newVersion(draft, trouble),
    trouble,
    h("section", { class: "stack tight", "aria-labelledby": "history-title" }, h("h2", { id: "history-title" }, t("bpHistory")), history),
    h(
      "section",
      { class: "stack tight", "aria-labelledby": "changes-title" },
      h("h2", { id: "changes-title" }, t("bpChanges")),
      h("div", { class: "field" }, h("label", { for: "diff-from" }, t("bpChangedSince")), since),
      draft.isDirty && h("p", { class: "note" }, t("bpChangesStored")),
      changes,
      tables,
    ),
  );
  load();

  function update() {
    publish.disabled = tellObstacle(why, draft, address, t("bpPublishHint"));
    why.hidden = !draft.isOpen;
  }
  return { element, update };
}

function item(one, draft, address) {
  const isThis = one.id === draft.row.id;
  const words = [one.is_draft ? t("bpDraft") : t("bpVersion"), ago(one.created_at, Date.now())].join(" · ");
  const link = { href: isThis ? address("versions") : `#/workspace/blueprints/${one.id}/versions`, "aria-current": isThis ? "true" : null };
  return h("li", {}, h("a", link, `${one.name} ${one.version_tag}`), h("span", { class: "row-note" }, words));
}

/** The name and the tag are stored with the document. */
function naming(draft, trouble) {
  const name = labelled("bp-name", t("rowName"), "", text(""));
  const tag = labelled("bp-tag", t("bpTag"), t("bpTagHint"), text(""));
  const form = h("form", { class: "form", novalidate: true }, h("div", { class: "grid" }, name, tag), h("div", { class: "buttons" }, h("button", { class: "button" }, t("save"))));
  form.elements["bp-name"].value = draft.row.name;
  form.elements["bp-tag"].value = draft.row.version_tag;
  form.onsubmit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    try {
      await draft.save({ name: form.elements["bp-name"].value.trim(), version_tag: form.elements["bp-tag"].value.trim() });
      announce(t("saved"));
    } catch (error) {
      for (const { field, message } of error.errors || []) mark(form, { name: "bp-name", version_tag: "bp-tag" }[field] || field, message);
      refuse(null, trouble, error);
    }
  };
  return form;
}

function newVersion(draft, trouble) {
  const form = h(
    "form",
    { class: "form", novalidate: true },
    labelled("version_tag", t("bpNewTag"), t("bpNewTagHint"), text("")),
    h("div", { class: "buttons" }, h("button", { class: "button" }, icon("plus"), t("bpNewVersion"))),
  );
  form.addEventListener("input", () => mark(form, "version_tag", ""));
  form.onsubmit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    try {
      const made = await post(`${draft.path}/versions`, { version_tag: form.elements.version_tag.value.trim() });
      location.hash = `#/workspace/blueprints/${made.id}`;
    } catch (error) {
      refuse(form, trouble, error);
    }
  };
  return form;
}

/** What is stored, as files: the document, and of a valid one its data models in other notations. */
function exporting({ path, row }) {
  const name = row.spec.projectName || "blueprint";
  const link = (query, suffix, text) => downloadLink(`${path}/export?${query}`, `${name}-${row.version_tag}.${suffix}`, text);
  return [
    link("format=blueprint", "json", t("bpExport")),
    !row.errors && link("format=dbml", "dbml", "DBML"),
    !row.errors && link("format=sql", "sql", "SQL"),
  ];
}
