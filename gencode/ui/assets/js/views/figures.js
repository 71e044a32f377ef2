// A task's figures (time, files, tokens, cost), and notices of unusual conditions.

import { announce, h, icon, put } from "../dom.js";
import { counts, elapsed, isGenerate, isOver, isPaused, waited } from "../task.js";
import { clock, duration, money, number, t } from "../words.js";

const UNKNOWN = { percent: null, seconds_left: null, stalled: false, rate_limited_until: null };
const WRITTEN = 95; // percent once all files are written, as the service counts
const GENERATE_FIGURES = ["filesDone", "tokens", "cost"];

/** The progress from the stream; before its first progress event, from the task as it was loaded. */
function progressOf({ task, view }) {
  if (isOver(task) || isPaused(task)) return UNKNOWN;
  return { ...UNKNOWN, ...(task.progress || view?.progress) };
}

/** The percentage by what is done already, while no better measure is known; null if nothing is. */
function shareOf(task) {
  if (isOver(task) || isPaused(task)) return null;
  if (!isGenerate(task.kind)) return task.share;
  const { whole, of } = counts(task);
  return task.planned && whole ? Math.floor((WRITTEN * whole) / of) : null;
}

/** A mark before figures that the provider has not told. */
const about = (usage) => (usage.estimated ? "≈ " : "");

function cost(usage) {
  if (usage.cost == null) return t("noPrice");
  return Number(usage.cost) ? about(usage) + money(usage.cost) : t("free");
}

export function figuresOf() {
  const bar = h("progress", { max: 100, "aria-label": t("progress") });
  const values = {};
  const figure = (name) => {
    values[name] = h("dd", {});
    return h("div", { class: `figure ${name}` }, h("dt", {}, t(name)), values[name]);
  };
  const list = h(
    "dl",
    { class: "figures" },
    ...["elapsed", "left", "done", "waited", ...GENERATE_FIGURES].map(figure),
  );
  const element = h("div", { class: "measure" }, bar, list);

  function update(follow, now) {
    const { task } = follow;
    const { percent: measured, seconds_left: left } = progressOf(follow);
    const percent = measured ?? shareOf(task);
    bar.hidden = percent === null;
    if (percent !== null) bar.value = percent;
    values.left.parentElement.hidden = left === null;
    values.done.parentElement.hidden = left !== null || percent === null;
    put(values.elapsed, duration(elapsed(task, now)));
    if (percent !== null) put(values.done, t("percent", percent));
    if (left !== null) put(values.left, [t("leftAbout", duration(left * 1000, 0)), percent !== null && t("percent", percent)].filter(Boolean).join(" · "));
    const wait = waited(task, now);
    values.waited.parentElement.hidden = !wait;
    put(values.waited, duration(wait));
    for (const name of GENERATE_FIGURES) values[name].parentElement.hidden = !isGenerate(task.kind);
    if (isGenerate(task.kind)) generated(task);
  }

  function generated(task) {
    const { whole, of } = counts(task);
    // The number of files is known once the plan is complete.
    put(values.filesDone, task.planned ? t("filesOf", number(whole), number(of)) : of ? number(whole) : "–");
    tokens(task.usage);
  }

  function tokens(usage) {
    put(values.tokens, usage ? about(usage) + number(usage.prompt + usage.completion) : "–");
    if (usage)
      values.tokens.title = t(
        "tokensHint",
        number(usage.prompt),
        number(usage.completion),
        number(usage.cached),
      );
    put(values.cost, usage ? cost(usage) : "–");
  }

  return { element, update };
}

export function noticesOf(follow) {
  const { lost, task } = follow;
  const { stalled, rate_limited_until: until } = progressOf(follow);
  return [
    lost && !isOver(task) && t("lost"),
    until && t("limited", clock(until)),
    stalled && !until && t("stalled"),
  ].filter(Boolean);
}

export function tell(place, notices) {
  if (place.dataset.told === notices.join("\n")) return;
  place.dataset.told = notices.join("\n");
  place.replaceChildren(
    ...notices.map((text) => h("p", { class: "notice" }, icon("warn"), h("span", {}, text))),
  );
  if (notices.length) announce(notices.join(" "));
}
