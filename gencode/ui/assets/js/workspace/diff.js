// A code diff: its files, with the old and the new lines side by side.

import { get, post } from "../api.js";
import { modelSelect, rowSelect } from "../choices.js";
import { labelled } from "../controls.js";
import { fill, h } from "../dom.js";
import { downloadLink } from "../download.js";
import { number, t } from "../words.js";
import { refuse, said } from "./resource.js";

const POLL = 1000; // milliseconds between two looks at a diff that is being made
const REVIEW = "code-review";
const BUSY = ["pending", "running"];

export function diffDetail(row) {
  const box = h("div", { class: "details" });
  show(box, row);
  return box;
}

async function show(box, row) {
  if (BUSY.includes(row.status)) {
    fill(box, h("p", { class: "note", role: "status" }, t("diffStates")[row.status]));
    setTimeout(async () => box.isConnected && show(box, await get(`code-diffs/${row.id}`)), POLL);
    return;
  }
  if (row.error) return fill(box, h("p", { class: "wrong" }, h("code", {}, row.error_code), " ", row.error));
  const files = h("div", { class: "details", onkeydown: walk });
  const hint = h("p", { class: "note" }, t("diffKeys"));
  const more = h("button", { type: "button", class: "button", hidden: true }, t("olderRows"));
  const patch = downloadLink(`code-diffs/${row.id}/patch`, `${row.name}.patch`, t("asPatch"));
  fill(box, tasksOf(row, patch), hint, files, more);
  let cursor = "0";
  more.onclick = async () => {
    try {
      const page = await get(`code-diffs/${row.id}/content?cursor=${cursor}`);
      if (cursor === "0" && !page.files.length) return fill(hint, t("noDifference"));
      files.append(...page.files.map(fileOf));
      cursor = page.next_cursor;
      more.hidden = !cursor;
    } catch (error) {
      fill(files, h("p", { class: "note" }, said(error)));
    }
  };
  more.onclick();
}

const STEPS = { j: ["summary", 1], k: ["summary", -1], n: [".hunk", 1], p: [".hunk", -1] };

/** Keys go to the next or previous file, or place that was changed. */
function walk(event) {
  const [selector, by] = (!event.ctrlKey && !event.metaKey && !event.altKey && STEPS[event.key]) || [];
  if (!selector) return;
  const places = [...event.currentTarget.querySelectorAll(selector)];
  const isBefore = (one) => one.compareDocumentPosition(event.target) & Node.DOCUMENT_POSITION_FOLLOWING;
  const others = places.filter((one) => one !== event.target && (by > 0 ? !isBefore(one) : isBefore(one)));
  const next = others.at(by > 0 ? 0 : -1);
  if (!next) return;
  event.preventDefault();
  next.closest("details").open = true;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "center" });
}

/** What can be done with a diff. Tests are written for files of a repository, which an uploaded patch has not. */
function tasksOf(row, patch) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const model = modelSelect();
  const requirements = rowSelect("requirements", t("noneOfThem"));
  const start = (path, label) => {
    const button = h("button", { type: "button", class: "button", onclick: run }, t(label));
    async function run() {
      button.disabled = true;
      trouble.replaceChildren();
      try {
        const body = { code_diff_id: row.id, ...(model.value ? { model: model.value } : {}) };
        if (path === REVIEW && requirements.value) body.requirement_document_id = requirements.value;
        const { task_id: id } = await post(`pipelines/${path}`, body);
        location.hash = `#/task/${id}`;
      } catch (error) {
        refuse(null, trouble, error);
        button.disabled = false;
      }
    }
    return button;
  };
  return h(
    "section",
    { "aria-labelledby": "diff-tasks" },
    h("h2", { id: "diff-tasks" }, t("diffTasks")),
    h(
      "div",
      { class: "grid" },
      labelled("task-model", t("model"), t("answerModelHint"), model),
      labelled("requirement_document_id", t("requirementDocument"), t("requirementDocumentHint"), requirements),
    ),
    h(
      "div",
      { class: "buttons" },
      start(REVIEW, "reviewDiff"),
      row.repository_id && start("test-generation", "writeTests"),
      patch,
    ),
    trouble,
  );
}

function fileOf(file) {
  const name = file.old_path && file.old_path !== file.path ? `${file.old_path} → ${file.path}` : file.path;
  const notes = [
    t("changedLines", number(file.added), number(file.deleted)),
    file.kind !== "text" && t("noLines"),
    file.lines_left_out > 0 && t("linesLeftOut", number(file.lines_left_out)),
  ];
  return h(
    "details",
    { class: "diff-file", open: true },
    h("summary", {}, h("code", {}, name), " ", h("small", {}, notes.filter(Boolean).join(" · "))),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
      h("table", { class: "diff" }, ...file.hunks.map(hunkOf)),
    ),
  );
}

function hunkOf({ header, section, lines }) {
  return h(
    "tbody",
    {},
    h("tr", { class: "hunk", tabindex: "-1" }, h("th", { colspan: 4, scope: "rowgroup" }, `${header} ${section}`)),
    ...paired(lines).map(([old, fresh]) => h("tr", {}, ...side(old, "old"), ...side(fresh, "new"))),
  );
}

/** The lines of both sides beside each other: deleted ones beside those that were added in their place. */
function paired(lines) {
  const pairs = [];
  let [deleted, added] = [[], []];
  const settle = () => {
    const length = Math.max(deleted.length, added.length);
    for (let at = 0; at < length; at += 1) pairs.push([deleted[at], added[at]]);
    [deleted, added] = [[], []];
  };
  for (const line of lines) {
    if (line.old !== null && line.new !== null) {
      settle();
      pairs.push([line, line]);
    } else if (line.new === null) deleted.push(line);
    else added.push(line);
  }
  settle();
  return pairs;
}

function side(line, which) {
  if (!line) return [h("td", { class: "line-number" }), h("td", { class: "none" })];
  const isChanged = line.old === null || line.new === null;
  const kind = isChanged ? (which === "old" ? "deleted" : "added") : "";
  return [
    h("td", { class: "line-number" }, String(line[which])),
    h("td", { class: `line ${kind}` }, line.text + (line.is_cut ? "…" : "")),
  ];
}
