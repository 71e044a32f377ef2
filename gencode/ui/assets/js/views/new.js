// The form: a prompt, what to call the repository, and how much it may cost.

import { Problem, Unreachable, get, post, unique } from "../api.js";
import { modelTitle } from "../choices.js";
import { attend, mark } from "../controls.js";
import { h } from "../dom.js";
import { forTab } from "../storage.js";
import { advice } from "../kinds.js";
import { language, money, number, t } from "../words.js";
import { PLACE, availability } from "./availability.js";
import { FIELDS, bodyOf, draft, parts, suggested, unused, valid } from "./fields.js";

const PAUSE = 400; // milliseconds without a keystroke, after which an estimate is asked for

const RECENT = 100; // newest tasks whose names are not suggested again

/** Fills `main`; gives what takes it away. */
export function newView(main, { submitted }) {
  const form = h("form", {
    class: "sheet form",
    novalidate: true,
    onsubmit: (event) => (event.preventDefault(), send()),
  });
  const estimate = h("p", { class: "estimate", id: "estimate" }, t("estimateNone"));
  const trouble = h("div", { class: "trouble", role: "alert" });
  const button = h("button", { class: "button primary large" }, t("submit"));
  form.append(...parts(), h("div", { class: "send" }, estimate, button, trouble));
  main.append(form);
  document.title = `${t("newTask")} · gencode`;

  let sent = null; // {text, key}: what was submitted last, so that trying again is no second task
  let named = false;
  let timer = null;
  const taken = new Set(); // names of repositories of the user's tasks
  let asked = 0;
  const available = availability(form);
  recall();
  learnNames();
  form.addEventListener("input", (event) => changed(event.target));
  form.addEventListener(
    "keydown",
    (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && form.requestSubmit(),
  );

  function field(name) {
    return form.elements.namedItem(name);
  }

  function changed(target) {
    if (target.name === "repo_name") named = Boolean(target.value);
    if (target.name === "prompt" && !named) suggest(target.value);
    mark(form, target.name, "");
    if (PLACE.includes(target.name) || target.name === "prompt") available.ask();
    forTab.set("draft", JSON.stringify({ ...draft(form), named }));
    clearTimeout(timer);
    timer = setTimeout(guess, PAUSE);
  }

  /** A name of the prompt's words that no task of the user has yet. */
  function suggest(prompt) {
    field("repo_name").value = unused(suggested(prompt), taken);
    if (field("repo_name").value) mark(form, "repo_name", "");
  }

  async function learnNames() {
    try {
      const { tasks } = await get(`tasks?limit=${RECENT}`);
      for (const { repo_name: name } of tasks) if (name) taken.add(name.toLowerCase());
      if (!named && field("prompt").value) suggest(field("prompt").value);
      available.ask();
    } catch {
      // Suggestions only avoid the names that are known.
    }
  }

  function recall() {
    const kept = JSON.parse(forTab.get("draft") || "{}");
    named = Boolean(kept.named);
    for (const name of FIELDS) {
      const control = field(name);
      if (!(name in kept)) continue;
      if (control.type === "checkbox") control.checked = kept[name];
      else control.value = kept[name];
    }
    form.querySelector("details").open = FIELDS.slice(4).some(
      (name) => kept[name] && kept[name] !== "checked",
    );
    if (kept.prompt) guess();
  }

  async function guess() {
    const turn = ++asked;
    const body = bodyOf(form);
    if (!body.prompt.trim()) return void (estimate.textContent = t("estimateNone"));
    try {
      const found = await post("estimate", {
        ...body,
        repo_name: valid(body.repo_name) ? body.repo_name : "estimate",
      });
      if (turn === asked) tell(found);
    } catch {
      if (turn === asked) estimate.textContent = "";
    }
  }

  function tell({ model, prompt_tokens: said, completion_tokens: { low, high }, cost, basis, template }) {
    const range = t("estimate", modelTitle(model), number(said + low), number(said + high));
    estimate.textContent =
      range +
      (cost ? t("estimateCost", money(cost.low), money(cost.high)) : t("estimateNoPrice")) +
      (template ? t("estimateTemplate", template.title[language()]) : "");
    estimate.title = basis;
  }

  async function send() {
    const body = bodyOf(form);
    if (!check(body)) return;
    const text = JSON.stringify(body);
    if (!sent || sent.text !== text) sent = { text, key: unique() };
    button.disabled = true;
    button.textContent = t("submitting");
    trouble.replaceChildren();
    try {
      const { task_id: id } = await post("generate", body, { "Idempotency-Key": sent.key });
      forTab.set("draft", null);
      submitted(id);
    } catch (error) {
      refuse(error);
    } finally {
      button.disabled = false;
      button.textContent = t("submit");
    }
  }

  function check(body) {
    mark(form, "prompt", body.prompt.trim() ? "" : t("required"));
    mark(form, "repo_name", valid(body.repo_name) ? "" : body.repo_name ? t("nameWrong") : t("required"));
    return !attend(form);
  }

  function refuse(error) {
    if (error instanceof Unreachable) return trouble.replaceChildren(h("p", {}, t("unreachable")));
    if (!(error instanceof Problem)) throw error;
    if (error.code === "IDEMPOTENCY_KEY_REUSED") sent = null;
    const stray = error.errors.filter(({ field: name, message }) => !mark(form, name, message));
    if (attend(form) && !stray.length) return trouble.replaceChildren(h("p", {}, t("fieldWrong")));
    const wait = error.wait ? ` ${t("waitSeconds", error.wait)}` : "";
    trouble.replaceChildren(
      h("p", {}, h("code", {}, error.code), " ", error.message),
      h("p", {}, advice(error.code) + wait),
    );
  }

  return () => {
    clearTimeout(timer);
    available.stop();
  };
}
