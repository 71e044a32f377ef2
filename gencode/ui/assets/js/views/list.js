// The tasks of the past and of now, newest first, a page at a time.

import { Problem, get } from "../api.js";
import { h, icon } from "../dom.js";
import { ago, dated, statusName, t } from "../words.js";

const EVERY = 15_000; // milliseconds; it is a look at a list, the task's own page is live
const RUNNING = "pending,generating,merging_files,creating_repo,pushing";
const GLYPHS = { completed: "check", failed: "cross", cancelled: "dash" };

export const glyph = (status) => h("span", { class: `glyph ${status}` }, icon(GLYPHS[status] || "dot"));

/** Fills `nav`; gives refresh(), mark(id) and stop(). */
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
    if (filter.value) query.set("status", filter.value);
    if (cursor) query.set("cursor", cursor);
    return get(`tasks?${query}`);
  }

  async function refresh() {
    const turn = ++state.asked;
    try {
      const page = await ask(null, Math.min(100, state.shown));
      if (turn !== state.asked) return;
      Object.assign(state, { tasks: page.tasks, cursor: page.next_cursor });
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
    return h(
      "li",
      {},
      h(
        "a",
        { href: `#/task/${task.task_id}`, "aria-current": here ? "page" : null },
        glyph(task.status),
        h("span", { class: "row-name" }, task.repo_name || task.task_id),
        h(
          "span",
          { class: "row-note", title: dated(task.created_at) },
          `${task.awaiting_approval ? t("held") : statusName(task.status)} · ${ago(task.created_at, Date.now())}`,
        ),
      ),
    );
  }

  const timer = setInterval(() => document.hidden || refresh(), EVERY);
  const seen = () => document.hidden || refresh();
  document.addEventListener("visibilitychange", seen);
  refresh();
  return {
    refresh,
    mark(id) {
      state.marked = id;
      draw();
      if (!state.tasks.length) words.textContent = t("loading");
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
  [RUNNING, t("filterRunning")],
  ...["completed", "failed", "cancelled"].map((status) => [status, statusName(status)]),
];
