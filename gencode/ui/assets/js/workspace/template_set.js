// What a template set has besides its form: its proof, its versions, and what it makes of a blueprint.

import { get, post } from "../api.js";
import { attend, choice, labelled, mark } from "../controls.js";
import { rowSelect } from "../choices.js";
import { fill, h } from "../dom.js";
import { downloadLink } from "../download.js";
import { ago, size, t } from "../words.js";
import { refuse, said } from "./resource.js";
import { uploadField, uploadedSet } from "./upload.js";

const MOODS = { proven: "good", rejected: "bad" };

/** The detail of a set, below its form. */
export function templateSetDetail(row, may) {
  const path = `templates/${row.id}`;
  return h("div", { class: "details" }, proof(row, path), versions(row, path, may.change), trial(path));
}

function proof(row, path) {
  const archive = downloadLink(`${path}/archive.zip`, `${row.code}-${row.version_tag}.zip`, t("downloadSet"));
  return h(
    "section",
    { "aria-labelledby": "proof-title" },
    h("h2", { id: "proof-title" }, t("setProof")),
    h(
      "div",
      { class: `card ${MOODS[row.status] || "paused"}` },
      h("p", {}, h("strong", {}, t("proofStates")[row.status])),
      h("p", {}, t("proofMeanings")[row.status]),
    ),
    row.findings.length > 0 && h("ul", { class: "coverage" }, ...row.findings.map(finding)),
    h("div", { class: "buttons" }, archive, h("span", { class: "note" }, `${t("fileCount", row.files)} · ${size(row.bytes)}`)),
  );
}

function finding({ blueprint, file, line, message }) {
  const place = line ? `${file}:${line}` : file;
  return h("li", {}, h("code", {}, place), ` ${message}`, blueprint && h("span", { class: "row-note" }, ` ${t("forBlueprint", blueprint)}`));
}

/** `isOpen`: whether one may upload the next one. */
function versions(row, path, isOpen) {
  const rows = h("ol", { class: "element-list", "aria-labelledby": "versions-title" });
  const trouble = h("div", { class: "trouble", role: "alert" });
  get(`${path}/versions`).then(
    (found) => fill(rows, ...found.versions.map((one) => version(one, one.id === row.id))),
    (error) => fill(trouble, h("p", {}, said(error))),
  );
  const done = (made) => (location.hash = addressOf(made));
  return h(
    "section",
    { "aria-labelledby": "versions-title" },
    h("h2", { id: "versions-title" }, t("bpTabs").versions),
    rows,
    trouble,
    isOpen && uploadField(`${path}/upload`, { ...uploadedSet(), label: t("uploadNextSet"), done }),
  );
}

const addressOf = ({ id }) => `#/workspace/template-sets/${id}`;

function version(one, isThis) {
  const words = [t("proofStates")[one.status], one.created_at && ago(one.created_at, Date.now())].filter(Boolean).join(" · ");
  const link = h("a", { href: addressOf(one), "aria-current": isThis ? "true" : null }, `${one.code} ${one.version_tag}`);
  return h("li", {}, link, h("span", { class: "row-note" }, words));
}

/** Shows the files that it makes of a blueprint. */
function trial(path) {
  const made = h("div", { class: "stack tight", "aria-live": "polite" });
  const trouble = h("div", { class: "trouble", role: "alert" });
  const button = h("button", { class: "button" }, t("showFiles"));
  const form = h(
    "form",
    { class: "form", novalidate: true, onsubmit: apply },
    h(
      "div",
      { class: "grid" },
      labelled("blueprint_id", t("blueprint"), "", rowSelect("blueprints")),
      labelled("database", t("bpDatabase"), "", choice(Object.entries(t("bpDatabases")))),
    ),
    h("div", { class: "buttons" }, button),
    trouble,
    made,
  );
  return h("section", { "aria-labelledby": "trial-title" }, h("h2", { id: "trial-title" }, t("trySet")), form);

  async function apply(event) {
    event.preventDefault();
    fill(trouble);
    mark(form, "blueprint_id", form.elements.blueprint_id.value ? "" : t("required"));
    if (attend(form)) return;
    button.disabled = true;
    const body = { blueprint_id: form.elements.blueprint_id.value, database: form.elements.database.value };
    try {
      const { files } = await post(`${path}/apply`, body);
      const archive = downloadLink(`${path}/project.zip?${new URLSearchParams(body)}`, "project.zip", t("bpUnproven"));
      fill(made, h("div", { class: "buttons" }, archive), h("ul", { class: "coverage" }, ...files.map(file)));
    } catch (error) {
      fill(made);
      refuse(form, trouble, error);
    }
    button.disabled = false;
  }
}

const file = (one) => h("li", {}, h("code", {}, one.path), ` ${size(one.bytes)}`);
