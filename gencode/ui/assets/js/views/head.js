// The head of a task's view: its name, its state, and the buttons that cancel and delete it.

import { get } from "../api.js";
import { modelTitle } from "../choices.js";
import { fill, h, icon, put } from "../dom.js";
import { kindTitle, taskName } from "../kinds.js";
import { isGenerate, isOver, isPaused } from "../task.js";
import { forTab } from "../storage.js";
import { dated, language, t } from "../words.js";
import { draftOf } from "./fields.js";
import { glyph, standing } from "./list.js";
import { act } from "./outcome.js";

export const nameOf = (follow) => (follow.view ? taskName(follow.view) : follow.id);

/** `deleted` is called when the task was deleted. */
export function headOf(follow, deleted) {
  const badge = h("span", { class: "badge" });
  const title = h("h1", {});
  const facts = h("p", { class: "note" });
  const about = h("p", { class: "note" });
  const message = h("p", { class: "lead" });
  const buttons = h("div", { class: "buttons" });
  const element = h(
    "div",
    { class: "head" },
    h("div", { class: "head-line" }, title, badge, h("span", { class: "spring" }), buttons),
    facts,
    about,
    message,
  );
  let drawn = null;

  function update({ task, view }) {
    put(title, nameOf(follow));
    put(message, messageOf(task, view));
    put(facts, factsOf(view).filter(Boolean).join(" · "));
    if (!about.childElementCount) fill(about, ...linksOf(view));
    about.hidden = !about.childElementCount;
    const text = standing(task);
    if (drawn === `${task.state} ${text}`) return;
    drawn = `${task.state} ${text}`;
    badge.className = `badge ${task.state}`;
    badge.replaceChildren(glyph(task.state), text);
    if (isOver(task)) fill(buttons, editing(follow), deleting(follow, deleted));
    else fill(buttons, cancelling(follow));
  }

  return { element, update };
}

/** What the task does, in the viewer's language. The card below shows a failure, and a template's notice. */
function messageOf(task, view) {
  if (task.failure) return "";
  if (isPaused(task)) return isGenerate(task.kind) ? t("planReady") : task.message;
  if (task.state === "succeeded" && view.template) return t("finished");
  return (view.status === task.status && view.messages?.[language()]) || task.message;
}

function factsOf(view) {
  const created = t("created", dated(view.created_at));
  if (!isGenerate(view.kind)) return [view.label && kindTitle(view.kind), created, view.task_id];
  return [
    view.model && t("withModel", modelTitle(view.model)),
    view.private == null ? "" : t(view.private ? "private" : "public"),
    view.github_org,
    created,
  ];
}

const PLACES = {
  conversation_id: "chat",
  knowledge_base_id: "knowledge",
  document_id: "requirements",
  blueprint_id: "blueprints",
};

/** Links to what a task of the workspace is about. */
function linksOf(view) {
  if (!("workspace" in document.body.dataset)) return [];
  return Object.entries(PLACES)
    .filter(([field]) => view[field])
    .map(([field, place]) => h("a", { href: `#/workspace/${place}/${view[field]}` }, t("aboutTask")[place]));
}

/** Fills the form with the task's request. The name of a repository that was created is taken: it is left out. */
function editing(follow) {
  if (!isGenerate(follow.view.kind)) return "";
  const button = h("button", { class: "button", onclick: () => act(button, edit) }, icon("again"), t("editAgain"));
  async function edit() {
    const request = await get(`${follow.address}/request`);
    const isCreated = Boolean(follow.task.result.repo_url || follow.view.repo_url);
    forTab.set("draft", JSON.stringify(draftOf(request, !isCreated)));
    location.hash = "#/";
  }
  return h("div", { class: "ask" }, button);
}

/** A cancelled task cannot be resumed, so the button asks for confirmation. */
const cancelling = (follow) =>
  confirmed(
    { name: t("cancel"), image: "stop", yes: t("cancelYes"), no: t("keepOn") },
    t(isGenerate(follow.view.kind) ? "cancelSure" : "cancelSureAny"),
    () => follow.cancel(),
  );

/** A deleted task is gone, and the page shows the form again. */
const deleting = (follow, deleted) =>
  confirmed(
    { name: t("deleteTask"), image: "bin", yes: t("deleteYes"), no: t("keepTask") },
    t("deleteSure"),
    async () => {
      await follow.delete();
      deleted();
      location.hash = "#/";
    },
  );

/** A button that asks for confirmation, in place. */
function confirmed({ name, image, yes, no }, question, work) {
  const first = h("button", { class: "button", onclick: ask }, icon(image), name);
  const place = h("div", { class: "ask" }, first);
  function ask() {
    const doIt = h("button", { class: "button danger", onclick: () => act(doIt, work) }, yes);
    const leave = h("button", { class: "button", onclick: back }, no);
    place.replaceChildren(
      h("p", { id: "sure" }, question),
      h("div", { class: "buttons", role: "group", "aria-labelledby": "sure" }, doIt, leave),
    );
    leave.focus();
  }
  function back() {
    place.replaceChildren(first);
    first.focus();
  }
  return place;
}
