// What one's model calls have used: a table by month, model and kind of task.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { kindTitle, loadKinds } from "../kinds.js";
import { money, number, t } from "../words.js";
import { heading, said } from "./resource.js";

const MONTHS = 12;

export async function usageView(box) {
  try {
    const [report] = await Promise.all([get(`usage?from=${firstMonth()}`), loadKinds()]);
    fill(
      box,
      heading(t("usage")),
      h("p", { class: "lead" }, t("usageLead")),
      report.groups.length ? table(report) : h("p", { class: "note" }, t("noRows")),
    );
  } catch (error) {
    fill(box, heading(t("usage")), h("p", { class: "note" }, said(error)));
  }
}

/** The first of the last twelve months, such as 2026-01. */
function firstMonth() {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - MONTHS + 1)).toISOString().slice(0, 7);
}

function table({ groups, total }) {
  const head = ["month", "model", "kind", "calls", "promptTokens", "answerTokensSum", "cost"];
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": t("usage") },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ...head.map((key) => h("th", { scope: "col" }, t("usageColumns")[key])))),
      h("tbody", {}, ...groups.map((one) => line([one.month, one.model, kindTitle(one.kind)], one))),
      h("tfoot", {}, line([t("total"), "", ""], total)),
    ),
  );
}

function line(names, { calls, prompt_tokens: prompt, completion_tokens: answer, cost, unsettled, estimated, unpriced }) {
  const notes = [unsettled && t("unsettledCalls", unsettled), estimated && t("estimatedCalls", estimated), unpriced && t("unpricedCalls", unpriced)];
  const figures = [number(calls), number(prompt), number(answer), cost === null ? "–" : money(cost)];
  return h(
    "tr",
    { title: notes.filter(Boolean).join(", ") || null },
    ...names.map((name) => h("td", {}, name)),
    ...figures.map((figure) => h("td", { class: "figure" }, figure)),
  );
}
