// The stages of a task in a row: which are done, which one runs, and how long each took. A stage that was entered
// opens what happened in it.

import { skew } from "../api.js";
import { h, icon, put, unseen } from "../dom.js";
import { stageName, stagesOf } from "../kinds.js";
import { isOver, stageOf, timelineStages, times } from "../task.js";
import { duration, t } from "../words.js";
import { stageDetail } from "./stage_detail.js";

const GLYPHS = { done: "check", failed: "cross", cancelled: "dash", now: "dot", next: "dot" };

export function timeline() {
  const list = h("ol", { class: "stages", "aria-label": t("timeline") });
  const detail = h("section", { class: "stage-detail", id: "stage-detail", hidden: true });
  const element = h("div", {}, list, detail);
  let drawn = "";
  let notes = new Map();
  let opened = null; // the stage whose details are shown
  let told = "";

  function update(task, now) {
    const stages = timelineStages(task, stagesOf(task.kind));
    const states = stages.map((_, index) => stateAt(task, stages, index));
    const spent = times(task, now);
    const wanted = [...stages, ...states, ...spent.keys()].join();
    if (drawn !== wanted) draw(task, stages, states, spent);
    drawn = wanted;
    for (const [stage, note] of notes) put(note, spent.has(stage) ? duration(spent.get(stage)) : "");
    tell(task, spent, now);
  }

  /** Shows the details of the opened stage, again when there are more. */
  function tell(task, spent, now) {
    detail.hidden = !opened;
    const wanted = opened && `${opened} ${task.log.length} ${Math.round(spent.get(opened) / 1000)}`;
    if (told === wanted) return;
    told = wanted;
    if (!opened) return detail.replaceChildren();
    detail.setAttribute("aria-label", stageName(opened, task.kind));
    const scrolled = detail.querySelector(".scroll")?.scrollTop || 0;
    detail.replaceChildren(h("h2", {}, stageName(opened, task.kind)), ...stageDetail(task, opened, spent.get(opened), now));
    const place = detail.querySelector(".scroll");
    if (place) place.scrollTop = scrolled;
  }

  function toggle(task, stage) {
    opened = opened === stage ? null : stage;
    for (const button of list.querySelectorAll("button"))
      button.setAttribute("aria-expanded", String(button.dataset.stage === opened));
    tell(task, times(task, Date.now() + skew), Date.now() + skew);
  }

  function draw(task, stages, states, spent) {
    const focused = list.contains(document.activeElement) ? document.activeElement.dataset.stage : null;
    notes = new Map();
    list.replaceChildren(
      ...stages.map((stage, index) => {
        const state = states[index];
        const note = h("span", { class: "stage-time" });
        notes.set(stage, note);
        return h(
          "li",
          { class: `stage ${state}`, "aria-current": state === "now" ? "step" : null },
          h("span", { class: "mark" }, icon(GLYPHS[state])),
          nameOf(task, stage, state, spent.has(stage)),
          note,
        );
      }),
    );
    list.querySelector(`[data-stage="${CSS.escape(focused)}"]`)?.focus();
  }

  function nameOf(task, stage, state, isEntered) {
    const words = [stageName(stage, task.kind), unseen(` (${t("stageStates")[state]})`)];
    if (!isEntered) return h("span", { class: "stage-name" }, ...words);
    return h(
      "button",
      {
        type: "button",
        class: "stage-name",
        "data-stage": stage,
        "aria-expanded": String(opened === stage),
        "aria-controls": "stage-detail",
        title: t("openStage"),
        onclick: () => toggle(task, stage),
      },
      ...words,
    );
  }

  return { element, update };
}

function stateAt(task, stages, index) {
  const current = stages.indexOf(stageOf(task));
  if (task.state === "succeeded" || index < current) return "done";
  if (index > current) return "next";
  return isOver(task) ? task.state : "now";
}
