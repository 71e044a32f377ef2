// The result of a task that is over: its repository, or what to do after a failure.

import { copier } from "../copier.js";
import { h, icon } from "../dom.js";
import { downloadLink } from "../download.js";
import { advice, failureText, statusName } from "../kinds.js";
import { isGenerate } from "../task.js";
import { language, t } from "../words.js";

/** The card of a task that is over; null while it is not. */
export function outcome(follow) {
  const { task, view } = follow;
  const isGenerated = isGenerate(task.kind);
  if (task.state === "succeeded") return isGenerated ? ready(follow) : card("good", t("completedTitle"));
  if (task.state === "failed" && task.failure) return failed(follow, task.failure);
  if (task.state === "cancelled" && !isGenerated) return card("calm", t("cancelledTitle"));
  if (task.state === "cancelled")
    return card("calm", t("cancelledTitle"), h("p", {}, task.message), place(task, view), kept(follow));
  return null;
}

function ready(follow) {
  const { result } = follow.task;
  // The log keeps the addresses of its time; the view has those of now, once it was read after the end.
  const url = follow.view?.repo_url || result.repo_url;
  const clone = follow.view?.clone_url || result.clone_url;
  const commit = result.commit || follow.view?.commit;
  const command = `git clone ${clone || url}`;
  return card(
    "good",
    t("resultTitle"),
    templateNotice(follow.view?.template),
    h("div", { class: "buttons" }, link(url, "primary"), zip(follow), report(follow)),
    h(
      "div",
      { class: "command" },
      h("span", { class: "label", id: "clone-label" }, t("clone")),
      h("code", { id: "clone", tabindex: "0", "aria-labelledby": "clone-label clone" }, command),
      copier(command),
    ),
    commit && h("p", { class: "note" }, `${t("commit")} `, h("code", {}, commit.slice(0, 12))),
  );
}

/** Says that the project is a template, which was not written for the prompt; null of a language model's. */
function templateNotice(template) {
  if (!template) return null;
  const { title, nearest_to: nearest, is_fallback: isFallback } = template;
  return h(
    "p",
    { class: "notice" },
    icon("warn"),
    h(
      "span",
      {},
      t("fromTemplate", title[language()]),
      nearest && t("nearestTemplate", nearest),
      isFallback && t("howToConfigure"),
    ),
  );
}

function failed(follow, failure) {
  const { code, message, stage } = failure;
  const { kind } = follow.task;
  const changes = changesFor(failure.retry_fields);
  const never = failure.retry_helps === "never";
  const again = h(
    "button",
    { class: never ? "button" : "button primary", onclick: () => act(again, () => follow.retry(changes.values()), kind) },
    icon("again"),
    t("retry"),
  );
  return card(
    "bad",
    t("failureTitle"),
    h(
      "p",
      { class: "failure" },
      h("code", { class: "code-name" }, code),
      " ",
      stage && h("span", { class: "note" }, t("failedIn", statusName(stage, kind))),
    ),
    ...sentences(code, message),
    h("p", {}, h("strong", {}, t("whatToDo")), h("br"), advice(code, kind) || t("noAdvice")),
    changes.element,
    h("div", { class: "buttons" }, again, zip(follow), isGenerate(kind) && report(follow)),
    h("p", { class: "note" }, retryNote(failure.retry_helps, kind)),
  );
}

/** What happened: the service's own words, which are English; in another language after a sentence for the code. */
function sentences(code, message) {
  const told = failureText(code);
  if (!told) return [h("p", { class: "message", lang: "en" }, message)];
  return [h("p", {}, told), h("p", { class: "message note", lang: "en" }, message)];
}

/** What a retry can do for a failure of this kind, by the error's `retry_helps`. */
function retryNote(helps, kind) {
  const continues = t(isGenerate(kind) ? "retryHint" : "retryHintAny");
  if (helps === "never") return t("retryNever");
  return helps === "after_change" ? `${t("retryAfterChange")} ${continues}` : continues;
}

/** Inputs for the failure's `retry_fields`, as far as they are known; `values()` returns what the user entered. */
function changesFor(names) {
  const inputs = names.filter((name) => name in INPUTS).map((name) => INPUTS[name]());
  return {
    element: inputs.length ? h("div", { class: "grid" }, ...inputs.map(({ element }) => element)) : null,
    values: () => Object.assign({}, ...inputs.map(({ values }) => values())),
  };
}

const INPUTS = {
  max_tokens: () =>
    limit("raise-tokens", "raiseTokens", "numeric", (text) => ({
      max_tokens: Number(text.replace(/[\s,_]/g, "")),
    })),
  max_cost: () => limit("raise-cost", "raiseCost", "decimal", (text) => ({ max_cost: text })),
  deliver: () => tick("deliverAnyway", { deliver: "best_effort" }),
  allow_secrets: () => tick("allowSecrets", { allow_secrets: true }),
  repo_name: () => naming("new-name", "newName", (text) => ({ repo_name: text })),
  github_org: () => naming("new-org", "newOrg", (text) => ({ github_org: text })),
};

function naming(id, label, read) {
  const attributes = { autocapitalize: "off", spellcheck: "false" };
  return limit(id, label, "text", read, attributes);
}

function limit(id, label, inputmode, read, attributes = {}) {
  const input = h("input", { id, inputmode, autocomplete: "off", ...attributes });
  const element = h("div", { class: "field" }, h("label", { for: id }, t(label)), input);
  return { element, values: () => (input.value.trim() ? read(input.value.trim()) : {}) };
}

/** A change that the user may make by a tick. */
function tick(label, change) {
  const box = h("input", { type: "checkbox" });
  return {
    element: h("label", { class: "tick" }, box, h("span", {}, t(label))),
    values: () => (box.checked ? change : {}),
  };
}

const card = (mood, title, ...children) =>
  h(
    "section",
    { class: `card ${mood}`, "aria-labelledby": "outcome" },
    h("h2", { id: "outcome" }, title),
    ...children,
  );

/** An address from outside becomes a link only if its scheme is http or https. */
function link(url, mood = "") {
  if (!/^https?:\/\//i.test(url || "")) return url ? h("code", {}, url) : null;
  return h(
    "a",
    { class: `button ${mood}`, href: url, rel: "noopener noreferrer", target: "_blank" },
    icon("external"),
    t("openRepository"),
  );
}

const place = (task, view) => link((view && view.repo_url) || task.result.repo_url);

function kept(follow) {
  if (![...follow.task.files.values()].some(({ bytes }) => bytes != null)) return null;
  return h("div", {}, h("p", { class: "note" }, t("readFiles")), h("div", { class: "buttons" }, zip(follow)));
}

export function zip(follow) {
  if (![...follow.task.files.values()].some(({ bytes }) => bytes != null)) return null;
  const name = `${(follow.view && follow.view.repo_name) || "project"}.zip`;
  return downloadLink(`${follow.address}/archive.zip`, name, t("zip"));
}

/** What became of the task, as JSON: plan, findings, cost and times. */
const report = ({ address, id }) => downloadLink(`${address}/report`, `report-${id}.json`, t("report"));

/** Runs a button's action, once at a time; an error is shown beside the button. `kind`: of the task. */
export async function act(button, work, kind) {
  button.disabled = true;
  button.parentElement.querySelector(".wrong")?.remove();
  try {
    await work();
  } catch (error) {
    const text = [error.code, failureText(error.code) || error.message, advice(error.code, kind)].filter(Boolean).join(" · ");
    button.parentElement.append(h("p", { class: "wrong", role: "alert" }, text));
  } finally {
    button.disabled = false;
  }
}
