// One file: as it is being written, and whole once it is.

import { escaped, request } from "../api.js";
import { coloured, ready } from "../colours.js";
import { copy, h, icon, put } from "../dom.js";
import { isOver, isWhole } from "../task.js";
import { number, t } from "../words.js";

const PACE = 150; // milliseconds between two paintings of what is being written
const MAX_COLOURED = 40_000; // characters of unfinished text that are coloured; more stay plain until it is complete
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
  const gap = h("p", { class: "gap", hidden: true }, t("partial"));
  const words = h("p", { class: "note" });
  const code = h("code");
  const pane = h("div", { class: "pane", tabindex: "0", role: "region" }, gap, words, h("pre", {}, code));
  const element = h(
    "section",
    { class: "code", "aria-label": t("code") },
    h(
      "div",
      { class: "code-head" },
      name,
      note,
      copier,
      h("label", { class: "tick small" }, tick, h("span", {}, t("follow"))),
    ),
    pane,
  );

  let shown = null; // {path, kind, length, grammar}: what stands there
  let whole = ""; // the text, once it is whole
  let timer = null;
  let again = null;
  let latest = null;

  function update(task, path, following) {
    tick.checked = following;
    tick.parentElement.hidden = isOver(task);
    latest = { task, path };
    const wanted = kindOf(task, path);
    if (!shown || shown.path !== path || shown.kind !== wanted) open(task, path, wanted);
    else if (wanted === "live") paint();
  }

  function open(task, path, kind) {
    const same = shown && shown.path === path;
    shown = { path, kind, length: -1, grammar: "" };
    const title = path === "plan" && !task.planned ? t("thePlan") : path || "";
    put(name, title);
    pane.setAttribute("aria-label", path ? t("contentsOf", path) : t("code"));
    copier.hidden = true;
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
    code.replaceChildren(...coloured(answer.text, shown.grammar, MAX_COLOURED));
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
      code.replaceChildren(...coloured(text, grammar));
      put(note, t("lines", text ? text.split("\n").length - text.endsWith("\n") : 0).replace(/^\d+/, number));
      copier.hidden = false;
      if (!same) pane.scrollTop = 0;
    } catch (error) {
      if (turn !== shown) return;
      code.replaceChildren();
      say(t("notRead", error.message));
      again = setTimeout(() => turn === shown && load(task, path, turn, same), AGAIN);
    }
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
  if (file && isWhole(file)) return `whole ${file.state} ${file.version || 0}`;
  return file && file.state === "writing" ? "begun" : "none";
}
