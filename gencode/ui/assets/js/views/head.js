// A task's head: its name, its state, and what can be done with it.

import { h, icon, put } from "../dom.js";
import { isOver } from "../task.js";
import { dated, statusName, t } from "../words.js";
import { glyph } from "./list.js";
import { act } from "./outcome.js";

export const standing = (task) => (task.held ? t("held") : statusName(task.status));
export const nameOf = (follow) => (follow.view && follow.view.repo_name) || follow.id;

export function headOf(follow) {
  const badge = h("span", { class: "badge" });
  const title = h("h1", {});
  const facts = h("p", { class: "note" });
  const message = h("p", { class: "lead" });
  const buttons = h("div", { class: "buttons" });
  const element = h(
    "div",
    { class: "head" },
    h("div", { class: "head-line" }, title, badge, h("span", { class: "spring" }), buttons),
    facts,
    message,
  );
  let drawn = null;

  function update({ task, view }) {
    put(title, nameOf(follow));
    put(message, task.failure ? "" : task.message); // the card below has it
    put(facts, factsOf(view).filter(Boolean).join(" · "));
    const state = standing(task);
    if (drawn === state) return;
    drawn = state;
    badge.className = `badge ${task.status}`;
    badge.replaceChildren(glyph(task.status), state);
    buttons.replaceChildren(...(isOver(task.status) ? [] : [cancelling(follow)]));
  }

  return { element, update };
}

const factsOf = (view) => [
  view.model && t("withModel", view.model),
  view.private == null ? "" : t(view.private ? "private" : "public"),
  view.github_org,
  t("created", dated(view.created_at)),
];

/** Cancelling cannot be taken back, so it is asked once more, in place. */
function cancelling(follow) {
  const first = h("button", { class: "button", onclick: ask }, icon("stop"), t("cancel"));
  const place = h("div", { class: "ask" }, first);
  function ask() {
    const yes = h(
      "button",
      { class: "button danger", onclick: () => act(yes, () => follow.cancel()) },
      t("cancelYes"),
    );
    const no = h("button", { class: "button", onclick: back }, t("keepOn"));
    place.replaceChildren(
      h("p", { id: "sure" }, t("cancelSure")),
      h("div", { class: "buttons", role: "group", "aria-labelledby": "sure" }, yes, no),
    );
    no.focus();
  }
  function back() {
    place.replaceChildren(first);
    first.focus();
  }
  return place;
}
