// The stages as a line: what is done, what goes on, how long each took.

import { h, icon, put, unseen } from "../dom.js";
import { STAGES, isOver, stageOf, times } from "../task.js";
import { duration, t } from "../words.js";

const GLYPHS = { done: "check", failed: "cross", cancelled: "dash", now: "dot", next: "dot" };

export function timeline() {
  const list = h("ol", { class: "stages", "aria-label": t("timeline") });
  let drawn = "";
  let notes = new Map();

  function update(task, now) {
    const states = STAGES.map((stage) => stateOf(task, stage));
    if (drawn !== states.join()) draw(states);
    const spent = times(task, now);
    for (const [stage, note] of notes) put(note, spent.has(stage) ? duration(spent.get(stage)) : "");
  }

  function draw(states) {
    drawn = states.join();
    notes = new Map();
    list.replaceChildren(
      ...STAGES.map((stage, index) => {
        const state = states[index];
        const note = h("span", { class: "stage-time" });
        notes.set(stage, note);
        return h(
          "li",
          { class: `stage ${state}`, "aria-current": state === "now" ? "step" : null },
          h("span", { class: "mark" }, icon(GLYPHS[state])),
          h("span", { class: "stage-name" }, t("stages")[stage], unseen(` (${t("stageStates")[state]})`)),
          note,
        );
      }),
    );
  }

  return { element: list, update };
}

function stateOf(task, stage) {
  const at = STAGES.indexOf(stageOf(task));
  const index = STAGES.indexOf(stage);
  if (task.status === "completed" || index < at) return "done";
  if (index > at) return "next";
  return isOver(task.status) ? task.status : "now";
}
