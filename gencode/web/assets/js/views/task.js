// One task: where it stands, what it writes, how it ended.

import { skew } from "../api.js";
import { announce, eachFrame, fill, h, icon, put } from "../dom.js";
import { counts, elapsed, isOver, isWhole } from "../task.js";
import { clock, dated, duration, money, number, statusName, t } from "../words.js";
import { codeView } from "./code.js";
import { glyph } from "./list.js";
import { logView } from "./log.js";
import { act, outcome } from "./outcome.js";
import { planCard } from "./plan.js";
import { timeline } from "./timeline.js";
import { fileTree } from "./tree.js";

/** Fills `main` for the task that `follow` follows; gives what takes it away. */
export function taskView(main, follow, { changed }) {
  const head = headOf(follow);
  const line = timeline();
  const figures = figuresOf();
  const notices = h("div", { class: "notices" });
  const middle = h("div", {});
  const code = codeView(follow, (on) => pick(on ? null : selected(follow.task)));
  const tree = fileTree((path) => pick(path));
  const empty = h("p", { class: "note" }, t("noFiles"));
  const work = h("div", { class: "work" },
    h("section", { class: "files", "aria-labelledby": "files-title" }, h("h2", { id: "files-title" }, t("files")), empty, tree.element), code.element);
  const log = logView();
  const body = h("article", { class: "sheet" }, head.element, line.element, figures.element, notices, middle, work, log.element);
  const gone = h("div", { class: "sheet" });
  let shown = "";
  let status = null;

  function pick(path) {
    follow.picked = path;
    update();
  }

  const now = () => Date.now() + skew;
  const clocks = () => {
    if (isOver(follow.task.status)) return;
    line.update(follow.task, now());
    figures.update(follow, now());
  };

  const update = eachFrame(() => {
    if (follow.problem) return show(gone, () => trouble(gone, follow));
    if (!follow.view || !follow.task.status) return show(gone, () => gone.replaceChildren(h("p", { class: "note" }, follow.lost ? t("lost") : t("loading"))), follow.lost);
    show(body);
    head.update(follow);
    line.update(follow.task, now());
    figures.update(follow, now());
    tell(notices, noticesOf(follow));
    settle(middle, follow);
    work.hidden = Boolean(follow.task.held); // the card shows the same files
    empty.hidden = follow.task.files.size > 0;
    const path = selected(follow.task, follow.picked);
    tree.update(follow.task, path);
    code.update(follow.task, path, follow.picked == null);
    log.update(follow.task);
  });

  function show(element, make, again) {
    const name = `${element === body} ${again}`;
    if (element.isConnected && name === shown) return;
    shown = name;
    if (make) make();
    main.replaceChildren(element);
  }

  function heard(kind) {
    if (["status", "approval", "approved", ""].includes(kind)) statusChanged();
    update();
  }

  function statusChanged() {
    if (!follow.task.status) return;
    const next = standing(follow.task);
    if (next === status) return;
    if (status) announce(t("announceStatus", nameOf(follow), next));
    status = next;
    document.title = `${next} · ${nameOf(follow)} · gencode`;
    changed();
  }

  follow.listeners.add(heard);
  const timer = setInterval(clocks, 200);
  update();
  return () => {
    clearInterval(timer);
    follow.listeners.delete(heard);
    code.stop();
  };
}

const standing = (task) => (task.held ? t("held") : statusName(task.status));
const nameOf = (follow) => (follow.view && follow.view.repo_name) || follow.id;

/** What stands in the pane: what the user picked, else what is being written, else the first worth reading. */
function selected(task, picked) {
  if (picked != null) return picked;
  if (task.live.size) return task.live.has(task.newest) ? stay(task) : [...task.live.keys()].at(-1);
  const whole = [...task.files.values()].filter(isWhole);
  if (isOver(task.status)) return (whole.find(({ path }) => /^readme\.md$/i.test(path)) || whole[0])?.path ?? null;
  return task.shown ?? whole[0]?.path ?? null;
}

/** Several files are written at once: the one that is shown stays until it is whole. */
function stay(task) {
  if (!task.live.has(task.shown)) task.shown = task.newest;
  return task.shown;
}

// --- the head: name, state, what can be done ---------------------------------------------------------

function headOf(follow) {
  const badge = h("span", { class: "badge" });
  const title = h("h1", {});
  const facts = h("p", { class: "note" });
  const message = h("p", { class: "lead" });
  const buttons = h("div", { class: "buttons" });
  const element = h("div", { class: "head" }, h("div", { class: "head-line" }, title, badge, h("span", { class: "spring" }), buttons), facts, message);
  let drawn = null;

  function update({ task, view }) {
    put(title, nameOf(follow));
    put(message, task.failure ? "" : task.message); // the card below has it
    put(facts, [view.model && t("withModel", view.model), view.private == null ? "" : t(view.private ? "private" : "public"), view.github_org, t("created", dated(view.created_at))].filter(Boolean).join(" · "));
    const state = standing(task);
    if (drawn === state) return;
    drawn = state;
    badge.className = `badge ${task.status}`;
    badge.replaceChildren(glyph(task.status), state);
    buttons.replaceChildren(...(isOver(task.status) ? [] : [cancelling(follow)]));
  }

  return { element, update };
}

/** Cancelling cannot be taken back, so it is asked once more, in place. */
function cancelling(follow) {
  const first = h("button", { class: "button", onclick: ask }, icon("stop"), t("cancel"));
  const place = h("div", { class: "ask" }, first);
  function ask() {
    const yes = h("button", { class: "button danger", onclick: () => act(yes, () => follow.cancel()) }, t("cancelYes"));
    const no = h("button", { class: "button", onclick: back }, t("keepOn"));
    place.replaceChildren(h("p", { id: "sure" }, t("cancelSure")), h("div", { class: "buttons", role: "group", "aria-labelledby": "sure" }, yes, no));
    no.focus();
  }
  function back() {
    place.replaceChildren(first);
    first.focus();
  }
  return place;
}

// --- figures -----------------------------------------------------------------------------------------

function figuresOf() {
  const bar = h("progress", { max: 100, "aria-label": t("progress") });
  const values = {};
  const figure = (name) => {
    values[name] = h("dd", {});
    return h("div", { class: `figure ${name}` }, h("dt", {}, t(name)), values[name]);
  };
  const list = h("dl", { class: "figures" }, ...["elapsed", "left", "filesDone", "tokens", "cost"].map(figure));
  const element = h("div", { class: "measure" }, bar, list);

  function update({ task }, now) {
    const over = isOver(task.status);
    const percent = over ? null : task.progress?.percent ?? null;
    const left = task.progress?.seconds_left ?? null;
    bar.hidden = percent === null;
    if (percent !== null) bar.value = percent;
    values.left.parentElement.hidden = over;
    const remaining = left === null ? t("leftUnknown") : t("leftAbout", duration(left * 1000));
    put(values.elapsed, duration(elapsed(task, now)));
    put(values.left, percent === null ? remaining : `${remaining} · ${t("percent", percent)}`);
    const { whole, of } = counts(task);
    // Of how many is known when the plan is whole.
    put(values.filesDone, task.planned ? t("filesOf", number(whole), number(of)) : of ? number(whole) : "–");
    tokens(task.usage);
  }

  function tokens(usage) {
    put(values.tokens, usage ? number(usage.prompt + usage.completion) : "–");
    if (usage) values.tokens.title = t("tokensHint", number(usage.prompt), number(usage.completion), number(usage.cached));
    put(values.cost, usage ? (usage.cost == null ? t("noPrice") : money(usage.cost)) : "–");
  }

  return { element, update };
}

// --- what is out of the ordinary -----------------------------------------------------------------------

function noticesOf({ lost, task }) {
  const { stalled, rate_limited_until: until } = task.progress || {};
  return [lost && !isOver(task.status) && t("lost"), until && t("limited", clock(until)), stalled && !until && t("stalled")].filter(Boolean);
}

function tell(place, notices) {
  if (place.dataset.told === notices.join("\n")) return;
  place.dataset.told = notices.join("\n");
  place.replaceChildren(...notices.map((text) => h("p", { class: "notice" }, icon("warn"), h("span", {}, text))));
  if (notices.length) announce(notices.join(" "));
}

/** The plan that waits, or the outcome; made anew only when it is another one. */
function settle(place, follow) {
  const { task } = follow;
  const files = [...task.files.values()].filter(({ bytes }) => bytes != null).length > 0;
  const name = task.held ? "held" : `${task.status} ${task.failure?.code} ${task.result.commit} ${isOver(task.status) && files}`;
  if (place.dataset.card === name) return;
  place.dataset.card = name;
  const card = task.held ? planCard(follow) : outcome(follow);
  fill(place, card);
}

function trouble(place, follow) {
  const { problem } = follow;
  const again = () => follow.resume();
  place.replaceChildren(...(problem.status === 401
    ? [h("p", { class: "lead" }, t("needsKey")), h("button", { class: "button primary", onclick: again }, icon("key"), t("enterKey"))]
    : [h("h1", {}, problem.code), h("p", { class: "lead" }, problem.status === 404 ? t("notThere") : problem.message)]));
}
