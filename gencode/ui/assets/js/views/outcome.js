// The result of a task that is over: its repository, or what to do after a failure.

import { address, key, request } from "../api.js";
import { copy, h, icon } from "../dom.js";
import { advice, statusName } from "../kinds.js";
import { isGenerate } from "../task.js";
import { t } from "../words.js";

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
  const { repo_url: url, clone_url: clone, commit } = { ...follow.view, ...follow.task.result };
  const command = `git clone ${clone || url}`;
  return card(
    "good",
    t("resultTitle"),
    h("div", { class: "buttons" }, link(url, "primary"), zip(follow)),
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

function failed(follow, { code, message, stage }) {
  const { kind } = follow.task;
  const changes = isGenerate(kind) ? changesFor(code) : NO_CHANGES;
  const again = h(
    "button",
    { class: "button primary", onclick: () => act(again, () => follow.retry(changes.values()), kind) },
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
    h("p", { class: "message" }, message),
    h("p", {}, h("strong", {}, t("whatToDo")), h("br"), advice(code, kind) || t("noAdvice")),
    changes.element,
    h("div", { class: "buttons" }, again, zip(follow)),
    h("p", { class: "note" }, t(isGenerate(kind) ? "retryHint" : "retryHintAny")),
  );
}

/** Failures before a repository was created that another name or organisation may mend. */
const NAMING = new Set(["REPO_EXISTS", "HOST_ORG", "GITHUB_ORG", "HOST_INVALID", "GITHUB_INVALID"]);
const NO_CHANGES = { element: null, values: () => ({}) };

/** The fields that a retry can change after such a failure; `values()` returns what the user entered. */
function changesFor(code) {
  if (NAMING.has(code)) return naming();
  if (code === "BUDGET_EXCEEDED") return limits();
  if (code === "GATE_FAILED") return delivery();
  return NO_CHANGES;
}

function limits() {
  const tokens = h("input", { id: "raise-tokens", inputmode: "numeric", autocomplete: "off" });
  const cost = h("input", { id: "raise-cost", inputmode: "decimal", autocomplete: "off" });
  const field = (name, input) => h("div", { class: "field" }, h("label", { for: input.id }, t(name)), input);
  const values = () => ({
    ...(tokens.value.trim() && { max_tokens: Number(tokens.value.replace(/[\s,_]/g, "")) }),
    ...(cost.value.trim() && { max_cost: cost.value.trim() }),
  });
  return {
    element: h("div", { class: "grid" }, field("raiseTokens", tokens), field("raiseCost", cost)),
    values,
  };
}

function naming() {
  const text = (id) => h("input", { id, autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
  const [name, org] = [text("new-name"), text("new-org")];
  const field = (label, input) => h("div", { class: "field" }, h("label", { for: input.id }, t(label)), input);
  const values = () => ({
    ...(name.value.trim() && { repo_name: name.value.trim() }),
    ...(org.value.trim() && { github_org: org.value.trim() }),
  });
  return { element: h("div", { class: "grid" }, field("newName", name), field("newOrg", org)), values };
}

function delivery() {
  const tick = h("input", { type: "checkbox" });
  return {
    element: h("label", { class: "tick" }, tick, h("span", {}, t("deliverAnyway"))),
    values: () => (tick.checked ? { deliver: "best_effort" } : {}),
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

const place = (task, view) => link(task.result.repo_url || (view && view.repo_url));

function kept(follow) {
  if (![...follow.task.files.values()].some(({ bytes }) => bytes != null)) return null;
  return h("div", {}, h("p", { class: "note" }, t("readFiles")), h("div", { class: "buttons" }, zip(follow)));
}

/** A link. A link cannot send a key, so with a key the file is fetched and then saved by the browser. */
export function zip(follow) {
  if (![...follow.task.files.values()].some(({ bytes }) => bytes != null)) return null;
  const name = `${(follow.view && follow.view.repo_name) || "project"}.zip`;
  const path = `${follow.address}/archive.zip`;
  const element = h(
    "a",
    { class: "button", href: address(path), download: name, onclick: fetched },
    icon("download"),
    t("zip"),
  );

  async function fetched(event) {
    if (!key()) return;
    event.preventDefault();
    const url = URL.createObjectURL(await (await request(path)).blob());
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
  return element;
}

export function copier(text) {
  const words = h("span", {}, t("copy"));
  const button = h(
    "button",
    { class: "button", "aria-label": `${t("copy")}: ${text}`, onclick: take },
    icon("copy"),
    words,
  );
  async function take() {
    await copy(text);
    words.textContent = t("copied");
    setTimeout(() => (words.textContent = t("copy")), 1500);
  }
  return button;
}

/** Runs a button's action, once at a time; an error is shown beside the button. `kind`: of the task. */
export async function act(button, work, kind) {
  button.disabled = true;
  button.parentElement.querySelector(".wrong")?.remove();
  try {
    await work();
  } catch (error) {
    const text = [error.code, error.message, advice(error.code, kind)].filter(Boolean).join(" · ");
    button.parentElement.append(h("p", { class: "wrong", role: "alert" }, text));
  } finally {
    button.disabled = false;
  }
}
