// The view of one task: its state, its files while they are written, and its result.

import { skew } from "../api.js";
import { announce, eachFrame, fill, h, icon } from "../dom.js";
import { isGenerate, isOver, isPaused, isWhole } from "../task.js";
import { t } from "../words.js";
import { codeView } from "./code.js";
import { figuresOf, noticesOf, tell } from "./figures.js";
import { headOf, nameOf } from "./head.js";
import { standing } from "./list.js";
import { logView } from "./log.js";
import { outcome } from "./outcome.js";
import { approvalCard } from "./plan.js";
import { showResult } from "../workspace/results.js";
import { timeline } from "./timeline.js";
import { fileSearch } from "./file_search.js";
import { fileTree } from "./tree.js";

const TICK = 200; // milliseconds between two updates of the times
const STATE_EVENTS = ["status", "approval", "approved", ""];

/** Shows the task in `main`; returns a function that removes it. `changed` is called for each new state. */
export function taskView(main, follow, { changed }) {
  const view = new TaskView(main, follow, changed);
  const onEvent = (kind) => view.onEvent(kind);
  follow.listeners.add(onEvent);
  const timer = setInterval(() => view.tick(), TICK);
  view.onEvent("");
  return () => {
    clearInterval(timer);
    follow.listeners.delete(onEvent);
    view.code.stop();
  };
}

class TaskView {
  constructor(main, follow, changed) {
    Object.assign(this, { main, follow, changed });
    this.head = headOf(follow, changed);
    this.line = timeline();
    this.figures = figuresOf();
    this.notices = h("div", { class: "notices" });
    this.middle = h("div", {});
    this.result = h("div", {});
    this.code = codeView(follow, (on) => this.pick(on ? null : selected(follow.task)));
    this.tree = fileTree((path) => this.pick(path));
    this.search = fileSearch(follow, (path, line) => this.pick(path, line), () => this.update());
    this.log = logView();
    this.work = this.#work();
    const [head, line, figures, log] = [this.head, this.line, this.figures, this.log].map(
      (one) => one.element,
    );
    this.body = h(
      "article",
      { class: "sheet" },
      head,
      line,
      figures,
      this.notices,
      this.middle,
      this.result,
      this.work,
      log,
    );
    this.update = eachFrame(() => this.#update());
  }

  onEvent(kind) {
    if (STATE_EVENTS.includes(kind)) this.#reportState();
    this.update();
  }

  /** Times change between events, too. */
  tick() {
    if (this.shown === "task" && !isOver(this.follow.task)) this.#times();
  }

  pick(path, line = null) {
    Object.assign(this.follow, { picked: path, line });
    this.update();
  }

  #work() {
    this.empty = h("p", { class: "note" }, t("noFiles"));
    const title = h("h2", { id: "files-title" }, t("files"));
    const named = { class: "files", "aria-labelledby": "files-title" };
    return h(
      "div",
      { class: "work" },
      h("section", named, title, this.search.element, this.empty, this.tree.element),
      this.code.element,
    );
  }

  #reportState() {
    const { task } = this.follow;
    const next = task.status && standing(task);
    if (!next || next === this.standing) return;
    if (this.standing) announce(t("announceStatus", nameOf(this.follow), next));
    this.standing = next;
    document.title = `${next} · ${nameOf(this.follow)} · gencode`;
    this.changed();
  }

  #update() {
    const { follow } = this;
    const { problem, task, view, lost } = follow;
    if (problem) return this.#show(`problem ${problem.code}`, () => trouble(follow));
    if (!view || !task.status) return this.#show(`waiting ${lost}`, () => waiting(lost));
    this.#show("task", () => this.body);
    this.head.update(follow);
    this.#times();
    tell(this.notices, noticesOf(follow));
    settle(this.middle, follow);
    showResult(this.result, follow);
    // The card of a pause shows the same files.
    this.work.hidden = !isGenerate(task.kind) || isPaused(task) || (isOver(task) && !task.files.size);
    if (isGenerate(task.kind)) this.#updateFiles();
    this.log.update(task);
  }

  #updateFiles() {
    const { task, picked, line } = this.follow;
    this.empty.hidden = task.files.size > 0;
    this.work.classList.toggle("without-files", !task.files.size && !task.live.size);
    this.work.classList.toggle("over", isOver(task));
    const path = selected(task, picked);
    this.tree.element.hidden = this.search.update(task);
    this.tree.update(task, path);
    this.code.update(task, path, picked == null, picked == null ? null : line);
  }

  #times() {
    const now = Date.now() + skew;
    this.line.update(this.follow.task, now);
    this.figures.update(this.follow, now);
  }

  /** Replaces the content of the view, if `name` is another than before. */
  #show(name, make) {
    if (this.shown === name) return;
    this.shown = name;
    this.main.replaceChildren(make());
  }
}

/** The path in the pane: the user's choice, else what is being written; of a task that is over, the first file with
 * a finding if it failed, else the README or the first file. */
function selected(task, picked) {
  if (picked != null) return picked;
  if (task.live.size) return task.live.has(task.newest) ? stay(task) : [...task.live.keys()].at(-1);
  const whole = [...task.files.values()].filter(isWhole);
  if (isOver(task)) {
    const faulty = task.state === "failed" && whole.find(({ faults }) => faults);
    return (faulty || whole.find(({ path }) => /^readme\.md$/i.test(path)) || whole[0])?.path ?? null;
  }
  return task.shown ?? whole[0]?.path ?? null;
}

/** Several files are written at once: the one that is shown stays until it is complete. */
function stay(task) {
  if (!task.live.has(task.shown)) task.shown = task.newest;
  return task.shown;
}

// --- the card in the middle, and what is shown instead of a task ---------------------------------------

/** Shows the approval or the outcome; replaced only when it is another one. */
function settle(place, follow) {
  const { task } = follow;
  const files = [...task.files.values()].filter(({ bytes }) => bytes != null).length > 0;
  const name = isPaused(task)
    ? "paused"
    : `${task.state} ${task.failure?.code} ${task.result.commit} ${isOver(task) && files}`;
  if (place.dataset.card === name) return;
  place.dataset.card = name;
  const card = isPaused(task) ? approvalCard(follow) : outcome(follow);
  fill(place, card);
}

const waiting = (lost) =>
  h("div", { class: "sheet" }, h("p", { class: "note" }, lost ? t("lost") : t("loading")));

function trouble(follow) {
  const { status, code, message } = follow.problem;
  const again = { class: "button primary", onclick: () => follow.resume() };
  const content =
    status === 401
      ? [h("p", { class: "lead" }, t("needsKey")), h("button", again, icon("key"), t("enterKey"))]
      : [h("h1", {}, code), h("p", { class: "lead" }, status === 404 ? t("notThere") : message)];
  return h("div", { class: "sheet" }, ...content);
}
