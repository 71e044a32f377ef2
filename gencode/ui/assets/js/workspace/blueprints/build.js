// The tab of the build: the stack, whether the project is pushed, what would be written, and earlier builds.

import { get, post, unique } from "../../api.js";
import { hostSelect, lateSelect, modelSelect } from "../../choices.js";
import { choice, labelled, mark, text } from "../../controls.js";
import { fill, h } from "../../dom.js";
import { downloadLink } from "../../download.js";
import { ago, number, size, t } from "../../words.js";
import { keepEdits } from "../kept_form.js";
import { refuse, said } from "../resource.js";
import { impactOf } from "./impact.js";
import { tellObstacle } from "./obstacles.js";

const PAUSE = 300;
const NONE = "none";

export function buildTab(draft, _chosen, { address }) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const why = h("p", { class: "note", id: "build-why", role: "status" });
  const button = h("button", { class: "button primary", "aria-describedby": "build-why" }, t("bpBuild"));
  const preview = h("div", { class: "stack tight", "aria-live": "polite" });
  const form = h("form", { class: "form", novalidate: true }, ...stack(), delivery(), limits(), h("div", { class: "send" }, why, button, trouble));
  const kept = keepEdits(form, `${draft.key}/build`, null, () => form.reset());
  for (const part of form.querySelectorAll("details")) part.open = [...part.querySelectorAll("input")].some(({ value }) => value);
  let timer = null;
  let sent = null; // {body, key}: sending again after a lost connection is no second build
  form.addEventListener("input", (event) => {
    mark(form, event.target.name, "");
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  form.onsubmit = (event) => (event.preventDefault(), send());

  async function send() {
    trouble.replaceChildren();
    const body = JSON.stringify(bodyOf(form));
    if (sent?.body !== body) sent = { body, key: unique() };
    button.disabled = true;
    try {
      const { task_id: id } = await post(`${draft.path}/generate`, JSON.parse(body), { "Idempotency-Key": sent.key });
      kept.forget();
      location.hash = `#/task/${id}`;
    } catch (error) {
      if (error.code === "IDEMPOTENCY_KEY_REUSED") sent = null;
      refuse(form, trouble, error);
      update();
    }
  }

  /** What a build would write, of the document that is stored. */
  async function look() {
    if (draft.row.errors) return preview.replaceChildren();
    try {
      const stack = new URLSearchParams({ database: form.elements.database.value, frontend: form.elements.frontend.value });
      const older = draft.row.parent_id ? `&from=${draft.row.parent_id}` : "";
      const found = await get(`${draft.path}/preview?${stack}${older}`);
      fill(preview, ...previewOf(draft, found, stack));
    } catch (error) {
      fill(preview, h("p", { class: "note" }, said(error)));
    }
  }

  function update() {
    const isBarred = tellObstacle(why, draft, address, draft.may.change ? "" : t("readOnly"));
    button.disabled = !draft.may.change || isBarred;
  }

  look();
  return { element: h("div", { class: "stack" }, form, preview, builds(draft)), update, keepsOpen: true };
}

function stack() {
  const named = (group) => Object.entries(t(group));
  return [
    h("p", { class: "note" }, t("bpBackend")),
    h(
      "div",
      { class: "grid" },
      labelled("database", t("bpDatabase"), "", choice(named("bpDatabases"))),
      labelled("frontend", t("bpFrontend"), t("bpFrontendHint"), choice(named("bpFrontends"))),
      labelled("template_set", t("bpTemplateSet"), t("bpTemplateSetHint"), lateSelect(templateSets, t("bpOfProject"))),
    ),
  ];
}

/** The proven sets; "" stands for that of the project, which is not sent. */
async function templateSets() {
  const { items } = await get("templates?status=proven&limit=100");
  return [[NONE, t("noneOfThem")], ...items.map((one) => [one.id, `${one.name} ${one.version_tag}`])];
}

/** The names are those by which the service says what is wrong with them. */
function delivery() {
  const visibility = choice([
    ["true", t("private")],
    ["false", t("public")],
  ]);
  return h(
    "details",
    {},
    h("summary", {}, t("bpDelivery")),
    h(
      "div",
      { class: "grid" },
      labelled("deliver.repo_name", t("name"), t("bpRepoHint"), text("")),
      labelled("deliver.private", t("visibility"), "", visibility),
      labelled("deliver.host", t("host"), t("hostHint"), hostSelect()),
      labelled("deliver.github_org", t("organisation"), t("organisationHint"), text(t("default"))),
    ),
  );
}

const limits = () =>
  h(
    "details",
    {},
    h("summary", {}, t("moreOptions")),
    h(
      "div",
      { class: "grid" },
      labelled("holes", t("bpOpenParts"), t("bpOpenPartsHint"), choice(Object.entries(t("bpOpenPartsBy")))),
      labelled("model", t("model"), t("bpBuildModelHint"), modelSelect()),
      labelled("max_cost", t("maxCost"), t("bpCostHint"), text(t("noLimit"), "decimal")),
    ),
  );

function bodyOf(form) {
  const value = (name) => form.elements[name].value.trim();
  const body = { stack: { database: value("database"), frontend: value("frontend") }, holes: value("holes") };
  if (value("template_set")) body.template_set = value("template_set") === NONE ? null : value("template_set");
  if (value("deliver.repo_name")) {
    body.deliver = { repo_name: value("deliver.repo_name"), private: value("deliver.private") === "true" };
    for (const name of ["host", "github_org"]) if (value(`deliver.${name}`)) body.deliver[name] = value(`deliver.${name}`);
  }
  for (const name of ["model", "max_cost"]) if (value(name)) body[name] = value(name);
  return body;
}

function previewOf(draft, { files, holes, impact }, stack) {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    h("h2", {}, t("bpPreview")),
    h("p", {}, t("bpPreviewLine", number(files.length), size(bytes))),
    h("p", { class: "note" }, holes.length ? t("bpHoles", number(holes.length)) : t("bpNoHoles")),
    h(
      "details",
      {},
      h("summary", {}, t("bpPreviewFiles")),
      h("ul", { class: "coverage" }, ...files.map((file) => h("li", {}, h("code", {}, file.path), ` ${size(file.bytes)}`))),
    ),
    ...(impact ? impactOf(impact) : []),
    h("div", { class: "buttons" }, downloadLink(`${draft.path}/project.zip?${stack}`, `${draft.row.name}.zip`, t("bpUnproven"))),
  ];
}

/** The builds that were made of it. */
function builds(draft) {
  const rows = h("ul", { class: "element-list", "aria-label": t("bpBuilds") });
  const words = h("p", { class: "note" }, t("loading"));
  get(`${draft.path}/builds?limit=20`).then(
    ({ items }) => {
      fill(rows, ...items.map(build));
      words.textContent = t("bpNoBuilds");
      words.hidden = items.length > 0;
    },
    (error) => (words.textContent = said(error)),
  );
  return h("section", { class: "stack tight", "aria-labelledby": "builds-title" }, h("h2", { id: "builds-title" }, t("bpBuilds")), words, rows);
}

function build(one) {
  const words = [
    Object.values(one.stack).join(", "),
    one.qa_status ? t("bpQa")[one.qa_status] : one.status,
    t("bpDownloads", number(one.downloads)),
    ago(one.created_at, Date.now()),
  ];
  return h("li", {}, h("a", { href: `#/task/${one.task_id}` }, `${one.version_tag}`), h("span", { class: "row-note" }, words.join(" · ")));
}
