// One file: as it is being written, and whole once it is.

import { escaped, request } from "../api.js";
import { numbered } from "../code_lines.js";
import { coloured, languageOf, ready } from "../colours.js";
import { copy, fill, h, icon, put } from "../dom.js";
import { MOST_MARKDOWN, markdown } from "../markdown.js";
import { ruleText } from "../kinds.js";
import { isOver, isWhole } from "../task.js";
import { number, t } from "../words.js";

const PACE = 150; // milliseconds between two paintings of what is being written
const MAX_COLOURED = 40_000; // characters of unfinished text that are coloured; more stay plain until it is complete
const MOST_LIVE_LINES = 2000; // lines of unfinished text that are numbered
const AGAIN = 3000; // milliseconds until a file that could not be read is asked for again

export function codeView({ address }, followed) {
  const name = h("h3", { class: "code-name" });
  const note = h("span", { class: "row-note" });
  const tick = h("input", { type: "checkbox", checked: true, onchange: () => followed(tick.checked) });
  const copier = h(
    "button",
    { class: "button quiet", hidden: true, onclick: take, "aria-label": t("copyFile"), title: t("copyFile") },
    icon("copy"),
  );
  const toggle = h("button", { class: "button quiet small", hidden: true, onclick: toggleSource }, t("source"));
  const page = h("div", { class: "document", hidden: true });
  const gap = h("p", { class: "gap", hidden: true }, t("partial"));
  const words = h("p", { class: "note" });
  const code = h("code");
  const source = h("pre", {}, code);
  const pane = h("div", { class: "pane", tabindex: "0", role: "region" }, gap, words, page, source);
  const element = h(
    "section",
    { class: "code", "aria-label": t("code") },
    h(
      "div",
      { class: "code-head" },
      name,
      note,
      toggle,
      copier,
      h("label", { class: "tick small" }, tick, h("span", {}, t("follow"))),
    ),
    pane,
  );

  let shown = null; // {path, kind, length, grammar, line}: what stands there
  let isSource = false; // Markdown is shown as it is written
  let whole = ""; // the text, once it is whole
  let timer = null;
  let again = null;
  let latest = null;

  /** `line`: the one to go to, or null. */
  function update(task, path, following, line = null) {
    tick.checked = following;
    tick.parentElement.hidden = isOver(task);
    latest = { task, path };
    const wanted = kindOf(task, path);
    const isElsewhere = line !== null && shown?.line !== line;
    if (!shown || shown.path !== path || shown.kind !== wanted || isElsewhere) open(task, path, wanted, line);
    else if (wanted === "live") paint();
  }

  function open(task, path, kind, line) {
    const same = shown && shown.path === path;
    if (line !== null) isSource = true;
    else if (!same) isSource = false;
    shown = { path, kind, length: -1, grammar: "", line };
    const title = path === "plan" && !task.planned ? t("thePlan") : path || "";
    put(name, title);
    pane.setAttribute("aria-label", path ? t("contentsOf", path) : t("code"));
    copier.hidden = toggle.hidden = true;
    if (!same || !kind.startsWith("whole")) show(null);
    note.textContent = "";
    if (kind.startsWith("whole")) return load(task, path, shown, same);
    whole = "";
    gap.hidden = kind !== "begun";
    say(kind === "none" ? (path ? t("notYet") : t("pickFile")) : "");
    code.replaceChildren();
    if (kind === "live") live(path, shown);
  }

  async function live(path, turn) {
    paint();
    turn.grammar = await ready(path);
    if (turn === shown) paint(true);
  }

  /** Now, or after the pace: a model says hundreds of words a second. */
  function paint(anew = false) {
    if (anew && shown) shown.length = -1;
    if (timer) return;
    draw();
    timer = setTimeout(() => {
      timer = null;
      if (shown && shown.kind === "live") draw();
    }, PACE);
  }

  function draw() {
    const answer = latest.task.live.get(shown.path);
    if (!answer || answer.text.length === shown.length) return;
    const low = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 60;
    gap.hidden = !answer.partial;
    setCode(numbered(coloured(answer.text, shown.grammar, MAX_COLOURED), new Map(), MOST_LIVE_LINES));
    shown.length = answer.text.length;
    if (low) pane.scrollTop = pane.scrollHeight;
  }

  async function load(task, path, turn, same) {
    try {
      const answer = await request(`${address}/files/${escaped(path)}`);
      const [text, grammar] = await Promise.all([answer.text(), ready(path)]);
      if (turn !== shown) return;
      whole = text;
      gap.hidden = true;
      say("");
      const notes = notesOf(task.findings.get(path));
      setCode(numbered(coloured(text, grammar), notes));
      const isReadable = grammar === "markdown" && !notes.size && text.length <= MOST_MARKDOWN;
      show(isReadable && text);
      put(note, t("lines", text ? text.split("\n").length - text.endsWith("\n") : 0).replace(/^\d+/, number));
      copier.hidden = false;
      if (!same || turn.line !== null || notes.size) goTo(turn.line);
    } catch (error) {
      if (turn !== shown) return;
      code.replaceChildren();
      say(t("notRead", error.message));
      again = setTimeout(() => turn === shown && load(task, path, turn, same), AGAIN);
    }
  }

  function setCode(nodes) {
    code.replaceChildren(...nodes);
    source.classList.toggle("numbered", code.firstElementChild?.matches(".code-line, .line-note") || false);
  }

  /** Goes to the line, or the first finding, or the beginning. */
  function goTo(line) {
    const place = line ? code.querySelectorAll(".code-line")[line - 1] : code.querySelector(".line-note, .faulty");
    for (const old of code.querySelectorAll(".code-line.here")) old.classList.remove("here");
    if (line) place?.classList.add("here");
    pane.scrollTop = place ? place.offsetTop - pane.clientHeight / 3 : 0;
  }

  /** Shows the text as a document, if it is one and the user wants no source. */
  function show(text) {
    toggle.hidden = !text;
    put(toggle, isSource ? t("rendered") : t("source"));
    page.hidden = !text || isSource;
    source.hidden = !page.hidden;
    if (!page.hidden) fill(page, ...markdown(text, highlighted));
    else page.replaceChildren();
  }

  function toggleSource() {
    isSource = !isSource;
    show(whole);
    goTo(null);
  }

  async function take() {
    await copy(whole);
    copier.replaceChildren(icon("check"));
    setTimeout(() => copier.replaceChildren(icon("copy")), 1500);
  }

  function stop() {
    clearTimeout(timer);
    clearTimeout(again);
    shown = null;
  }

  function say(text) {
    put(words, text);
    words.hidden = !text;
  }

  return { element, update, stop };
}

/** What there is to show of a path: live text, the whole file (told apart by its versions), or nothing yet. */
function kindOf(task, path) {
  if (path && task.live.has(path)) return "live";
  const file = path && task.files.get(path);
  if (file && isWhole(file)) return `whole ${file.state} ${file.version || 0} ${task.findings.get(path)?.length || 0}`;
  return file && file.state === "writing" ? "begun" : "none";
}

/** Messages by line. */
function notesOf(findings = []) {
  const notes = new Map();
  for (const { line, rule, message } of findings) {
    const told = [ruleText(rule), message || (ruleText(rule) ? "" : rule)].filter(Boolean).join(": ");
    notes.set(line, [...(notes.get(line) || []), told]);
  }
  return notes;
}

/** A block of code inside of a document; its language may not be loaded yet, and is loaded for the next time. */
function highlighted(text, name) {
  const path = `block.${name.toLowerCase()}`;
  ready(path);
  return coloured(text, languageOf(path));
}
