// All events of a task as text; collapsed until the user opens it.

import { h } from "../dom.js";
import { failureText, statusName } from "../kinds.js";
import { isGenerate } from "../task.js";
import { clock, language, t } from "../words.js";

const MAX_ROWS = 1000; // older events stay readable through the API

export function logView() {
  const summary = h("summary", {});
  const list = h("ol", { class: "log" });
  const element = h("details", { class: "log-box", ontoggle: () => element.open && draw() }, summary, list);
  let log = [];
  let taskKind = null;
  let drawn = 0;

  function update(task) {
    log = task.log;
    taskKind = task.kind;
    summary.textContent = t("log", log.length);
    if (element.open) draw();
  }

  function draw() {
    for (const event of log.slice(drawn)) list.append(row(event, taskKind));
    drawn = log.length;
    while (list.children.length > MAX_ROWS) list.firstChild.remove();
  }

  return { element, update };
}

function row({ id, kind, data }, taskKind) {
  const text = own(kind, taskKind) || (isGenerate(taskKind) && t("events")[kind]) || t("commonEvents")[kind];
  return h(
    "li",
    { class: kind },
    h("span", { class: "log-id" }, String(id)),
    data.at && h("time", { datetime: data.at }, clock(data.at)),
    h("span", {}, text ? text(data) : kind),
  );
}

/** Statuses and errors in the page's language, whatever the task's is. */
function own(kind, taskKind) {
  if (kind === "status") return ({ status, message }) => (isReadable(message) ? message : statusName(status, taskKind));
  if (kind === "error") return ({ code, message }) => `${code}: ${failureText(code) || message}`;
  return null;
}

/** Whether the message of the service is in the page's language, which is Chinese or English. */
const isReadable = (message) => Boolean(message) && /\p{Script=Han}/u.test(message) === (language() === "zh");
