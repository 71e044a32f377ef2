// The list of tasks, newest first, a page at a time.

import { Problem, get } from "../api.js";
import { h, icon } from "../dom.js";
import { loadKinds, statusName, taskName, unfinishedStatuses } from "../kinds.js";
import { stateOf } from "../task.js";
import { ago, dated, t } from "../words.js";

const INTERVAL = 15_000; // milliseconds between two refreshes; only the view of one task is live
const UNFINISHED = "unfinished";
const GLYPHS = { succeeded: "check", failed: "cross", cancelled: "dash" };

export const glyph = (state) => h("span", { class: `glyph ${state}` }, icon(GLYPHS[state] || "dot"));
export const standing = ({ state, status, kind }) =>
  state === "paused" ? t("paused") : statusName(status, kind);

/** Fills `nav`; returns refresh(), mark(id) and stop(). */
export function listView(nav) {
  const state = { tasks: [], cursor: null, shown: 20, marked: null, asked: 0 };
  const rows = h("ul", { class: "rows" });
  const older = h("button", { class: "button wide", hidden: true, onclick: () => more() }, t("older"));
  const words = h("p", { class: "note" }, t("loading"));
  const filter = h(
    "select",
    { id: "filter", onchange: () => refresh() },
    ...options().map(([value, name]) => h("option", { value }, name)),
  );
  nav.setAttribute("aria-label", t("yourTasks"));
  nav.replaceChildren(
    h(
      "div",
      { class: "side-head" },
      h("h2", {}, t("yourTasks")),
      h("label", { class: "unseen", for: "filter" }, t("filter")),
      filter,
    ),
    rows,
    words,
    older,
  );

  async function ask(cursor, limit) {
    const query = new URLSearchParams({ limit });
    const statuses = filter.value === UNFINISHED ? unfinishedStatuses().join() : filter.value;
    if (statuses) query.set("status", statuses);
    if (cursor) query.set("cursor", cursor);
    return get(`tasks?${query}`);
  }

  async function refresh() {
    const turn = ++state.asked;
    try {
      const page = await ask(null, Math.min(100, state.shown));
      await loadKinds();
      if (turn !== state.asked) return;
      Object.assign(state, { tasks: page.tasks, cursor: page.next_cursor, isLoaded: true });
      draw();
    } catch (error) {
      if (error instanceof Problem && !state.tasks.length) words.textContent = error.message;
    }
  }

  async function more() {
    const turn = ++state.asked;
    const page = await ask(state.cursor, 20);
    if (turn !== state.asked) return;
    state.tasks.push(...page.tasks);
    state.cursor = page.next_cursor;
    state.shown = state.tasks.length;
    const first = rows.children.length;
    draw();
    rows.children[first]?.querySelector("a").focus();
  }

  function draw() {
    const focused = document.activeElement?.closest?.("#tasks li a")?.getAttribute("href");
    rows.replaceChildren(...state.tasks.map(row));
    if (focused) rows.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
    older.hidden = !state.cursor;
    words.hidden = state.tasks.length > 0;
    words.textContent = filter.value ? t("noSuchTasks") : t("noTasks");
  }

  function row(task) {
    const here = task.task_id === state.marked;
    const taskState = stateOf(task);
    const note = standing({ ...task, state: taskState });
    return h(
      "li",
      {},
      h(
        "a",
        { href: `#/task/${task.task_id}`, "aria-current": here ? "page" : null },
        glyph(taskState),
        h("span", { class: "row-name" }, taskName(task)),
        h(
          "span",
          { class: "row-note", title: dated(task.created_at) },
          `${note} · ${ago(task.created_at, Date.now())}`,
        ),
      ),
    );
  }

  const timer = setInterval(() => document.hidden || refresh(), INTERVAL);
  const seen = () => document.hidden || refresh();
  document.addEventListener("visibilitychange", seen);
  refresh();
  return {
    refresh,
    mark(id) {
      state.marked = id;
      draw();
      if (!state.isLoaded) words.textContent = t("loading");
    },
    stop() {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", seen);
      state.asked += 1;
    },
  };
}

const options = () => [
  ["", t("filterAll")],
  [UNFINISHED, t("filterRunning")],
  ...["completed", "failed", "cancelled"].map((status) => [status, statusName(status)]),
];
