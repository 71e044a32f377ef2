// A task in figures, and notices of what is out of the ordinary.

import { announce, h, icon, put } from "../dom.js";
import { counts, elapsed, isOver } from "../task.js";
import { clock, duration, money, number, t } from "../words.js";

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
    ...["elapsed", "left", "filesDone", "tokens", "cost"].map(figure),
  );
  const element = h("div", { class: "measure" }, bar, list);

  function update({ task }, now) {
    const over = isOver(task.status);
    const percent = over ? null : (task.progress?.percent ?? null);
    const left = task.progress?.seconds_left ?? null;
    bar.hidden = percent === null;
    if (percent !== null) bar.value = percent;
    values.left.parentElement.hidden = over;
    const remaining = left === null ? t("leftUnknown") : t("leftAbout", duration(left * 1000));
    put(values.elapsed, duration(elapsed(task, now)));
    put(values.left, percent === null ? remaining : `${remaining} · ${t("percent", percent)}`);
    const { whole, of } = counts(task);
    // Of how many is known when the plan is whole.
    put(values.filesDone, task.planned ? t("filesOf", number(whole), number(of)) : of ? number(whole) : "–");
    tokens(task.usage);
  }

  function tokens(usage) {
    put(values.tokens, usage ? number(usage.prompt + usage.completion) : "–");
    if (usage)
      values.tokens.title = t(
        "tokensHint",
        number(usage.prompt),
        number(usage.completion),
        number(usage.cached),
      );
    put(values.cost, usage ? (usage.cost == null ? t("noPrice") : money(usage.cost)) : "–");
  }

  return { element, update };
}

export function noticesOf({ lost, task }) {
  const { stalled, rate_limited_until: until } = task.progress || {};
  return [
    lost && !isOver(task.status) && t("lost"),
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
