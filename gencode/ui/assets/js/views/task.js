// One task: where it stands, what it writes, how it ended.

import { skew } from "../api.js";
import { announce, eachFrame, fill, h, icon } from "../dom.js";
import { isOver, isWhole } from "../task.js";
import { t } from "../words.js";
import { codeView } from "./code.js";
import { figuresOf, noticesOf, tell } from "./figures.js";
import { headOf, nameOf, standing } from "./head.js";
import { logView } from "./log.js";
import { outcome } from "./outcome.js";
import { planCard } from "./plan.js";
import { timeline } from "./timeline.js";
import { fileTree } from "./tree.js";

const TICK = 200; // milliseconds between two looks at the clock
const STANDINGS = ["status", "approval", "approved", ""];

/** Fills `main` for the task that `follow` follows; gives what takes it away. `changed`: its state did. */
export function taskView(main, follow, { changed }) {
  const view = new TaskView(main, follow, changed);
  const heard = (kind) => view.heard(kind);
  follow.listeners.add(heard);
  const timer = setInterval(() => view.tick(), TICK);
  view.heard("");
  return () => {
    clearInterval(timer);
    follow.listeners.delete(heard);
    view.code.stop();
  };
}

class TaskView {
  constructor(main, follow, changed) {
    Object.assign(this, { main, follow, changed });
    this.head = headOf(follow);
    this.line = timeline();
    this.figures = figuresOf();
    this.notices = h("div", { class: "notices" });
    this.middle = h("div", {});
    this.code = codeView(follow, (on) => this.pick(on ? null : selected(follow.task)));
    this.tree = fileTree((path) => this.pick(path));
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
      this.work,
      log,
    );
    this.update = eachFrame(() => this.#update());
  }

  heard(kind) {
    if (STANDINGS.includes(kind)) this.#stands();
    this.update();
  }

  /** Times go on between events, too. */
  tick() {
    if (this.shown === "task" && !isOver(this.follow.task.status)) this.#times();
  }

  pick(path) {
    this.follow.picked = path;
    this.update();
  }

  #work() {
    this.empty = h("p", { class: "note" }, t("noFiles"));
    const title = h("h2", { id: "files-title" }, t("files"));
    const named = { class: "files", "aria-labelledby": "files-title" };
    return h(
      "div",
      { class: "work" },
      h("section", named, title, this.empty, this.tree.element),
      this.code.element,
    );
  }

  #stands() {
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
    this.work.hidden = Boolean(task.held); // the card shows the same files
    this.empty.hidden = task.files.size > 0;
    const path = selected(task, follow.picked);
    this.tree.update(task, path);
    this.code.update(task, path, follow.picked == null);
    this.log.update(task);
  }

  #times() {
    const now = Date.now() + skew;
    this.line.update(this.follow.task, now);
    this.figures.update(this.follow, now);
  }

  /** What fills the view: made anew only if it is another thing than before. */
  #show(name, make) {
    if (this.shown === name) return;
    this.shown = name;
    this.main.replaceChildren(make());
  }
}

/** What stands in the pane: what the user picked, else what is being written, else the first worth reading. */
function selected(task, picked) {
  if (picked != null) return picked;
  if (task.live.size) return task.live.has(task.newest) ? stay(task) : [...task.live.keys()].at(-1);
  const whole = [...task.files.values()].filter(isWhole);
  if (isOver(task.status))
    return (whole.find(({ path }) => /^readme\.md$/i.test(path)) || whole[0])?.path ?? null;
  return task.shown ?? whole[0]?.path ?? null;
}

/** Several files are written at once: the one that is shown stays until it is whole. */
function stay(task) {
  if (!task.live.has(task.shown)) task.shown = task.newest;
  return task.shown;
}

// --- what stands in the middle, or in place of it all --------------------------------------------------

/** The plan that waits, or the outcome; made anew only when it is another one. */
function settle(place, follow) {
  const { task } = follow;
  const files = [...task.files.values()].filter(({ bytes }) => bytes != null).length > 0;
  const name = task.held
    ? "held"
    : `${task.status} ${task.failure?.code} ${task.result.commit} ${isOver(task.status) && files}`;
  if (place.dataset.card === name) return;
  place.dataset.card = name;
  const card = task.held ? planCard(follow) : outcome(follow);
  fill(place, card);
}

const waiting = (lost) =>
  h("div", { class: "sheet" }, h("p", { class: "note" }, lost ? t("lost") : t("loading")));

function trouble(follow) {
  const { status, code, message } = follow.problem;
  const again = { class: "button primary", onclick: () => follow.resume() };
  const said =
    status === 401
      ? [h("p", { class: "lead" }, t("needsKey")), h("button", again, icon("key"), t("enterKey"))]
      : [h("h1", {}, code), h("p", { class: "lead" }, status === 404 ? t("notThere") : message)];
  return h("div", { class: "sheet" }, ...said);
}
