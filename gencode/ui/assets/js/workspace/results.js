// What the tasks of the workspace's kinds have found, below their outcome.

import { get, request } from "../api.js";
import { fill, h } from "../dom.js";
import { downloadLink } from "../download.js";
import { markdown } from "../markdown.js";
import { isOver } from "../task.js";
import { buildOf, liveProof } from "./build_result.js";
import { saidElements } from "./said_elements.js";
import { number, t } from "../words.js";
import { said } from "./resource.js";

const RESULTS = { build: buildOf, code_review: reviewOf, requirement_analysis: requirementsOf, test_generation: testsOf };

/** Whether a failed task has a result, by its kind: a review that could not be posted, an archive that is not proven. */
const IS_KEPT = {
  build: () => true,
  code_review: (task) => task.steps.some(({ status }) => status === "posting"),
};

/** Fills `place` once the task is over and it has something to show. What a blueprint will consist of is shown as it is said. */
export function showResult(place, follow) {
  const { id, task } = follow;
  if (task.kind === "blueprint") return saidElements(place, follow);
  if (task.kind === "build" && !isOver(task)) return liveProof(place, follow);
  const show = RESULTS[task.kind];
  const isThere = task.state === "succeeded" || (task.state === "failed" && IS_KEPT[task.kind]?.(task));
  const shown = `${id} ${task.state}`;
  if (!show || !isThere || place.dataset.of === shown) return;
  place.dataset.of = shown;
  show(place, id).catch((error) => fill(place, h("p", { class: "note" }, said(error))));
}

async function testsOf(place, id) {
  const path = `task/${encodeURIComponent(id)}/tests`;
  const tests = await get(path);
  fill(
    place,
    h(
      "section",
      { class: "details", "aria-labelledby": "tests-title" },
      h(
        "div",
        { class: "head-line" },
        h("h2", { id: "tests-title" }, t("writtenTests")),
        h("span", { class: "spring" }),
        downloadLink(`${path}.patch`, "tests.patch", t("asPatch")),
        downloadLink(`${path}.zip`, "tests.zip", t("zip")),
      ),
      h("p", {}, t("verifications")[tests.verification], tests.reason ? ` (${tests.reason})` : ""),
      ...tests.files.map((file) => h("section", {}, h("h3", {}, file.path), h("pre", { class: "quoted" }, file.text))),
      tests.discarded.length > 0 && h("h3", {}, t("discardedTests")),
      h("ul", { class: "coverage" }, ...tests.discarded.map((one) => h("li", {}, `${one.path} ${one.name}: ${one.reason}`))),
    ),
  );
}

async function requirementsOf(place, id) {
  const text = await (await request(`task/${encodeURIComponent(id)}/requirements.md`)).text();
  fill(
    place,
    h(
      "section",
      { class: "details", "aria-labelledby": "requirements-title" },
      h("h2", { id: "requirements-title" }, t("requirementsText")),
      h("div", { class: "document" }, ...markdown(text)),
    ),
  );
}

async function reviewOf(place, id) {
  const path = `task/${encodeURIComponent(id)}/review`;
  const [review, { posted }] = await Promise.all([get(path), get(`task/${encodeURIComponent(id)}`)]);
  fill(
    place,
    h(
      "section",
      { class: "details", "aria-labelledby": "findings-title" },
      h(
        "div",
        { class: "head-line" },
        h("h2", { id: "findings-title" }, t("findings")),
        h("span", { class: "spring" }),
        downloadLink(`${path}.md`, "review.md", t("asMarkdown")),
        downloadLink(`${path}.sarif`, "review.sarif", "SARIF"),
      ),
      posted && h("p", {}, ...postedLine(posted)),
      review.findings.length
        ? h("ol", { class: "cards" }, ...review.findings.map(finding))
        : h("p", {}, t("noFindings")),
      h("h3", {}, t("coverage")),
      h(
        "ul",
        { class: "coverage" },
        ...review.coverage.map((one) =>
          h("li", {}, t("coverageLine", t("coverages")[one.coverage], number(one.hunks), number(one.lines))),
        ),
      ),
    ),
  );
}

function postedLine(posted) {
  const isLink = /^https?:\/\//.test(posted.url);
  const change = t("postedTo", posted.change);
  const note = posted.is_superseded ? "postedLater" : posted.is_moved ? "postedMoved" : null;
  return [
    isLink ? h("a", { href: posted.url, rel: "noreferrer noopener", target: "_blank" }, change) : change,
    note && ` · ${t(note)}`,
  ].filter(Boolean);
}

function finding(one) {
  const place = one.line ? `${one.path}:${one.line}${one.end_line > one.line ? `-${one.end_line}` : ""}` : one.path;
  const notes = [t("findingCategories")[one.category], t("findingStates")[one.status], !one.line && t("unanchored")];
  return h(
    "li",
    { class: `card finding ${one.severity}` },
    h("h3", {}, h("span", { class: `badge ${one.severity}` }, t("severities")[one.severity]), " ", one.title),
    h("p", { class: "note" }, h("code", {}, place), ` · ${notes.filter(Boolean).join(" · ")}`),
    one.quote && h("pre", { class: "quoted" }, one.quote),
    h("div", { class: "document" }, ...markdown(one.body)),
    one.suggestion && h("div", {}, h("h4", {}, t("suggestion")), change(one.suggestion)),
  );
}

/** The old lines and the new ones, each with its sign. */
function change({ old, replacement }) {
  const lines = (text, sign) => text.replace(/\n$/, "").split("\n").map((line) => `${sign} ${line}`);
  return h("pre", { class: "quoted" }, [...lines(old, "-"), ...(replacement ? lines(replacement, "+") : [])].join("\n"));
}
