// The stages of a task in a row: which are done, which one runs, and how long each took.

import { h, icon, put, unseen } from "../dom.js";
import { stageName, stagesOf } from "../kinds.js";
import { isOver, stageOf, timelineStages, times } from "../task.js";
import { duration, t } from "../words.js";

const GLYPHS = { done: "check", failed: "cross", cancelled: "dash", now: "dot", next: "dot" };

export function timeline() {
  const list = h("ol", { class: "stages", "aria-label": t("timeline") });
  let drawn = "";
  let notes = new Map();

  function update(task, now) {
    const stages = timelineStages(task, stagesOf(task.kind));
    const states = stages.map((_, index) => stateAt(task, stages, index));
    const wanted = [...stages, ...states].join();
    if (drawn !== wanted) draw(task.kind, stages, states);
    drawn = wanted;
    const spent = times(task, now);
    for (const [stage, note] of notes) put(note, spent.has(stage) ? duration(spent.get(stage)) : "");
  }

  function draw(kind, stages, states) {
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
          h("span", { class: "stage-name" }, stageName(stage, kind), unseen(` (${t("stageStates")[state]})`)),
          note,
        );
      }),
    );
  }

  return { element: list, update };
}

function stateAt(task, stages, index) {
  const current = stages.indexOf(stageOf(task));
  if (task.state === "succeeded" || index < current) return "done";
  if (index > current) return "next";
  return isOver(task) ? task.state : "now";
}
