// Everything that happened, in words; folded away until somebody wants it.

import { h } from "../dom.js";
import { clock, t } from "../words.js";

const MOST = 1000; // lines; what is older is in the log of the service

export function logView() {
  const summary = h("summary", {});
  const list = h("ol", { class: "log" });
  const element = h("details", { class: "log-box", ontoggle: () => element.open && draw() }, summary, list);
  let log = [];
  let drawn = 0;

  function update(task) {
    log = task.log;
    summary.textContent = t("log", log.length);
    if (element.open) draw();
  }

  function draw() {
    for (const event of log.slice(drawn)) list.append(line(event));
    drawn = log.length;
    while (list.children.length > MOST) list.firstChild.remove();
  }

  return { element, update };
}

function line({ id, kind, data }) {
  const words = t("events")[kind];
  return h(
    "li",
    { class: kind },
    h("span", { class: "log-id" }, String(id)),
    data.at && h("time", { datetime: data.at }, clock(data.at)),
    h("span", {}, words ? words(data) : kind),
  );
}
