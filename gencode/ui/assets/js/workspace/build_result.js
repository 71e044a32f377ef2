// What a build has made and what is proven of it, below the task's outcome.

import { get } from "../api.js";
import { copier } from "../copier.js";
import { fill, h, icon } from "../dom.js";
import { downloadLink } from "../download.js";
import { duration, number, size, t } from "../words.js";

/** A build that failed early has made nothing. */
export async function buildOf(place, id) {
  const path = `task/${encodeURIComponent(id)}`;
  const { items } = await get(`${path}/artifacts`);
  if (!items.length) return fill(place);
  const [report, task] = await Promise.all([get(`${path}/qa-report`), get(path)]);
  fill(
    place,
    h(
      "section",
      { class: "details", "aria-labelledby": "build-title" },
      h("h2", { id: "build-title" }, t("builtProject")),
      /^https?:\/\//.test(task.repo_url || "") && repository(task),
      ...items.map((one) => artifact(path, one)),
      unwritten(report, task),
      ...proof(report),
      report.holes?.length > 0 && holes(report.holes),
      report.findings.length > 0 && warnings(report.findings),
    ),
  );
}

const repository = ({ repo_url: url, clone_url: clone, commit }) =>
  h(
    "div",
    { class: "stack tight" },
    h("div", { class: "buttons" }, h("a", { class: "button primary", href: url, rel: "noopener noreferrer", target: "_blank" }, icon("external"), t("openRepository"))),
    digest("clone-command", t("clone"), `git clone ${clone || url}`),
    commit && h("p", { class: "note" }, `${t("commit")} `, h("code", {}, commit.slice(0, 12))),
  );

/** The steps of its proof, as they end. */
export function liveProof(place, { id, task }) {
  const shown = `${id} live ${task.proof.length} ${task.proof.at(-1)?.name}`;
  if (!task.proof.length || place.dataset.of === shown) return;
  place.dataset.of = shown;
  fill(place, h("section", { class: "details", "aria-labelledby": "steps-title" }, h("h2", { id: "steps-title" }, t("proofSteps")), table(task.proof)));
}

function artifact(path, { name, bytes, sha256, checksum, downloads }) {
  return h(
    "div",
    { class: "stack tight" },
    h("div", { class: "buttons" }, downloadLink(`${path}/artifact`, name, t("downloadProject")), h("span", { class: "note" }, `${size(bytes)} · ${t("bpDownloads", number(downloads))}`)),
    digest("archive-digest", t("archiveDigest"), sha256),
    checksum && digest("project-checksum", t("projectChecksum"), checksum),
  );
}

const digest = (id, label, value) =>
  h(
    "div",
    { class: "command" },
    h("span", { class: "label", id: `${id}-label` }, label),
    h("code", { id, tabindex: "0", "aria-labelledby": `${id}-label ${id}` }, value),
    copier(value),
  );

/** What the project cannot do although it is proven: calls of flows that nobody has written are refused. */
function unwritten({ holes: all = [] }, { blueprint_id: blueprint }) {
  const open = all.filter((one) => one.source === "default");
  if (!open.length) return null;
  return h(
    "div",
    { class: "notice" },
    icon("warn"),
    h("span", {}, t("unwrittenFlows", open.length, all.length)),
    blueprint && h("a", { class: "button", href: `#/workspace/blueprints/${blueprint}/flows` }, t("openFlows")),
  );
}

/** A project that nothing has proven is never shown as if it were. */
function proof({ status, reason, certificate: { steps } }) {
  return [
    h(
      "div",
      { class: `card ${MOODS[status]}` },
      h("h3", {}, h("span", { class: `badge ${BADGES[status]}` }, t("bpQa")[status])),
      h("p", {}, t("proofs")[status], reason && ` ${t("becauseOf", reason)}`),
    ),
    steps.length > 0 && h("section", { "aria-labelledby": "steps-title" }, h("h3", { id: "steps-title" }, t("proofSteps")), table(steps)),
  ];
}

const MOODS = { verified: "good", failed: "bad", unverified: "paused" };
const BADGES = { verified: "succeeded", failed: "failed", unverified: "unverified" };

const table = (steps) =>
  h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "steps-title" },
    h(
      "table",
      { class: "proof-steps" },
      h("thead", {}, h("tr", {}, ...t("proofColumns").map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...steps.map(step)),
    ),
  );

function step({ name, status, command, exit_code: code, seconds, log_tail: tail, reason }) {
  const log = tail && h("details", {}, h("summary", {}, t("endOfLog")), h("pre", { class: "quoted" }, tail));
  return h(
    "tr",
    {},
    h("td", {}, t("proofStepNames")[name] || name),
    h("td", {}, h("span", { class: `badge ${status === "passed" ? "succeeded" : "failed"}` }, t("stepStates")[status] || status)),
    h("td", { class: "figure" }, code == null ? "–" : String(code)),
    h("td", { class: "figure" }, seconds == null ? "–" : duration(seconds * 1000)),
    h("td", { class: "wide" }, h("code", {}, command || ""), reason && h("p", { class: "wrong" }, reason), log),
  );
}

const holes = (all) =>
  h(
    "section",
    { "aria-labelledby": "holes-title" },
    h("h3", { id: "holes-title" }, t("openParts")),
    h(
      "ul",
      { class: "coverage" },
      ...all.map((one) => h("li", {}, h("code", {}, `${one.path} ${one.name}`), ` ${t("holeSources")[one.source]}`, one.reason && `: ${one.reason}`)),
    ),
  );

const warnings = (all) =>
  h(
    "section",
    { "aria-labelledby": "warnings-title" },
    h("h3", { id: "warnings-title" }, t("buildWarnings")),
    h("ul", { class: "coverage" }, ...all.map((one) => h("li", {}, h("code", {}, one.element), ` ${one.message}`))),
  );
