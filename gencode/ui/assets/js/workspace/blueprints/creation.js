// A new blueprint: of requirements (a task makes it), of a file in another notation, or an empty one.

import { post, unique } from "../../api.js";
import { modelSelect, rowSelect } from "../../choices.js";
import { attend, choice, examples, labelled, mark, text } from "../../controls.js";
import { fill, h } from "../../dom.js";
import { t } from "../../words.js";
import { keepEdits } from "../kept_form.js";
import { heading, refuse } from "../resource.js";
import { documentChoice } from "./document_choice.js";

const WAYS = ["requirements", "file", "empty"];
const FORMATS = ["sql", "dbml", "jdl", "openapi", "blueprint"];
const BY_SUFFIX = { sql: "sql", ddl: "sql", dbml: "dbml", jdl: "jdl", jh: "jdl", yaml: "openapi", yml: "openapi" };

export function creation(box) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const documents = documentChoice();
  const notes = h("div", { "aria-live": "polite" });
  const button = h("button", { class: "button primary" });
  const parts = { requirements: ofRequirements(documents), file: ofFile(), empty: [] };
  const sections = Object.fromEntries(WAYS.map((way) => [way, h("div", { class: "form" }, ...parts[way])]));
  const form = h(
    "form",
    { class: "form", novalidate: true },
    h("p", { class: "lead" }, t("bpNewLead")),
    labelled("way", t("bpWay"), "", choice(WAYS.map((way) => [way, t("bpWays")[way]]))),
    ...WAYS.map((way) => sections[way]),
    h(
      "div",
      { class: "grid" },
      labelled("name", t("rowName"), t("bpNewNameHints").requirements, text("")),
      labelled("project_id", t("bpProject"), t("bpProjectHint"), rowSelect("projects", t("bpOwn"))),
    ),
    h("div", { class: "send" }, button, trouble),
  );
  const kept = keepEdits(form, "blueprints/new", null, () => creation(box));
  if (kept.notice) form.prepend(kept.notice);
  form.addEventListener("input", (event) => {
    mark(form, event.target.name, "");
    arrange();
  });
  const back = h("a", { class: "button quiet", href: "#/workspace/blueprints" }, t("blueprints"));
  fill(box, heading(t("bpNew"), back), form, notes);
  arrange();
  let sent = null;

  function arrange() {
    const way = form.elements.way.value;
    for (const one of WAYS) sections[one].hidden = one !== way;
    button.textContent = t("bpStart")[way];
    form.querySelector("#name-hint").textContent = t("bpNewNameHints")[way];
  }

  form.onsubmit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    const way = form.elements.way.value;
    if (way === "file") mark(form, "source", form.elements.source.value.trim() ? "" : t("required"));
    if (way === "empty") mark(form, "name", form.elements.name.value.trim() ? "" : t("required"));
    if (attend(form)) return;
    button.disabled = true;
    try {
      await SENDERS[way](form, { documents, keyOf, notes });
      kept.forget();
    } catch (error) {
      refuse(form, trouble, error);
    }
    button.disabled = false;
  };

  /** The same for the same request: sending again after a lost connection is no second one. */
  function keyOf(body) {
    const said = JSON.stringify(body);
    if (sent?.said !== said) sent = { said, key: unique() };
    return { "Idempotency-Key": sent.key };
  }
}

const ofRequirements = (documents) => [
  labelled("text", t("bpRequirements"), t("bpRequirementsHint"), h("textarea", { rows: 8 })),
  examples("text", t("bpRequirementsExamples")),
  documents.element,
  labelled("model", t("model"), t("bpModelHint"), modelSelect()),
];

function ofFile() {
  const source = h("textarea", { rows: 12, spellcheck: "false" });
  const format = choice(FORMATS.map((one) => [one, t("bpFormats")[one]]));
  const file = h("input", { type: "file", accept: ".sql,.ddl,.dbml,.jdl,.jh,.json,.yaml,.yml,.txt" });
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    const [{ name }] = file.files;
    source.value = await file.files[0].text();
    format.value = formatOf(name, source.value);
    for (const one of [source, format]) one.dispatchEvent(new Event("input", { bubbles: true }));
  });
  return [
    labelled("file", t("bpFile"), t("bpFileHint"), file),
    labelled("source", t("bpSource"), t("bpSourceHint"), source),
    labelled("format", t("bpFormat"), "", format),
  ];
}

function formatOf(name, text) {
  const suffix = name.split(".").at(-1).toLowerCase();
  if (suffix === "json") return /"(openapi|swagger)"/.test(text.slice(0, 2000)) ? "openapi" : "blueprint";
  return BY_SUFFIX[suffix] || "sql";
}

const common = ({ elements }) => {
  const [name, project] = [elements.name.value.trim(), elements.project_id.value];
  return { ...(name ? { name } : {}), ...(project ? { project_id: project } : {}) };
};

const SENDERS = {
  async requirements(form, { documents, keyOf }) {
    const { text: said, model } = form.elements;
    const body = { ...common(form), text: said.value, requirement_ids: documents.chosen(), ...(model.value ? { model: model.value } : {}) };
    const { task_id: id } = await post("pipelines/blueprint", body, keyOf(body));
    location.hash = `#/task/${id}`;
  },
  async file(form, { notes }) {
    const { source, format } = form.elements;
    const body = { ...common(form), format: format.value, text: source.value, store: true };
    const made = await post("blueprints/import", body).catch((error) => {
      for (const one of error.errors || []) if (one.field === "text") one.field = "source";
      throw error;
    });
    const address = `#/workspace/blueprints/${made.blueprint.id}`;
    if (!made.notes.length) return void (location.hash = address);
    fill(notes, importNotes(made.notes, address));
    notes.querySelector("a").focus();
  },
  async empty(form) {
    const { id } = await post("blueprints", common(form));
    location.hash = `#/workspace/blueprints/${id}`;
  },
};

/** What of the file the blueprint does not have. */
const importNotes = (found, address) =>
  h(
    "section",
    { class: "card paused", "aria-labelledby": "notes-title" },
    h("h2", { id: "notes-title" }, t("bpImported", found.length)),
    h("div", { class: "buttons" }, h("a", { class: "button primary", href: address }, t("openBlueprint"))),
    h("ul", { class: "changes" }, ...found.map(({ line, message }) => h("li", {}, line ? `${t("bpLine", line)}: ` : "", message))),
  );
