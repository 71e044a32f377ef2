// What happened in one stage of a task: when it began, how long it worked and waited, and its model calls.

import { h, icon } from "../dom.js";
import { waited } from "../task.js";
import { clock, duration, number, t } from "../words.js";

const MOST = 300; // calls that are listed
const LISTED = ["usage", "retry", "failover"];

/** `spent`: milliseconds that the task has worked in the stage. */
export function stageDetail(task, stage, spent, now) {
  const { began, ended, events } = eventsOf(task, stage);
  const wait = began && waited(task, now, Date.parse(began), ended ? Date.parse(ended) : now);
  const retries = events.filter(({ kind }) => kind === "retry").length;
  const calls = events.filter(({ kind }) => kind === "usage").length;
  const facts = [
    began && t("stageBegan", clock(began)),
    spent !== undefined && t("stageWorked", duration(spent)),
    wait > 0 && t("stageWaited", duration(wait)),
    calls > 0 && t("stageCalls", number(calls)),
    retries > 0 && t("stageRetries", number(retries)),
  ];
  return [
    h("p", { class: "note" }, facts.filter(Boolean).join(" · ")),
    events.length ? table(events.slice(-MOST)) : h("p", { class: "note" }, t("stageNoCalls")),
  ];
}

/** The events of the stage, all its runs together, with the first time it began and the last time it ended. */
function eventsOf(task, stage) {
  const found = { began: null, ended: null, events: [] };
  let current = null;
  for (const { kind, data } of task.log) {
    if (kind === "status") {
      if (current === stage) found.ended = data.at;
      current = data.status;
      if (current === stage) Object.assign(found, { began: found.began || data.at, ended: null });
    } else if (current === stage && LISTED.includes(kind)) found.events.push({ kind, data });
  }
  return found;
}

const table = (events) =>
  h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": t("modelCalls") },
    h(
      "table",
      { class: "calls" },
      h("thead", {}, h("tr", {}, ...t("callColumns").map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, ...events.map(row)),
    ),
  );

function row({ kind, data }) {
  const about = data.about === "plan" ? t("callPlan") : data.about;
  if (kind === "usage") {
    const { prompt, completion, estimated } = data.tokens;
    const mark = estimated ? "≈ " : "";
    const time = data.seconds == null ? "–" : duration(data.seconds * 1000);
    const figures = [mark + number(prompt), mark + number(completion), time];
    return h("tr", {}, h("td", {}, about), ...figures.map((one) => h("td", { class: "figure" }, one)));
  }
  const text =
    kind === "retry"
      ? t("callRepeated", data.code, data.wait_seconds)
      : t("callFailedOver", data.code, data.to);
  return h(
    "tr",
    { class: "repeated", title: data.message },
    h("td", {}, about),
    h("td", { colspan: 3 }, icon("again"), " ", text),
  );
}
