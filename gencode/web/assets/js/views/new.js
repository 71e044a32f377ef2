// The form: a prompt, what to call the repository, and how much it may cost.

import { Problem, Unreachable, post } from "../api.js";
import { h } from "../dom.js";
import { forTab } from "../storage.js";
import { advice, money, number, t } from "../words.js";

const NAME = /^[A-Za-z0-9._-]{1,100}$/;
const RESERVED = /^\.+$|\.(git|wiki|atom)$/i;
const PAUSE = 400; // milliseconds without a keystroke, after which an estimate is asked for
const FIELDS = ["prompt", "repo_name", "private", "approve_plan", "model", "host", "github_org", "max_tokens", "max_cost", "deliver"];

/** Fills `main`; gives what takes it away. */
export function newView(main, { submitted }) {
  const form = h("form", { class: "sheet form", novalidate: true, onsubmit: (event) => (event.preventDefault(), send()) });
  const estimate = h("p", { class: "estimate", id: "estimate" }, t("estimateNone"));
  const trouble = h("div", { class: "trouble", role: "alert" });
  const button = h("button", { class: "button primary large" }, t("submit"));
  form.append(...parts(), h("div", { class: "send" }, estimate, button, trouble));
  main.append(form);
  document.title = `${t("newTask")} · gencode`;

  let sent = null; // {text, key}: what was submitted last, so that trying again is no second task
  let named = false;
  let timer = null;
  let asked = 0;
  recall();
  form.addEventListener("input", (event) => changed(event.target));
  form.addEventListener("keydown", (event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && form.requestSubmit());

  function field(name) {
    return form.elements.namedItem(name);
  }

  function changed(target) {
    if (target.name === "repo_name") named = Boolean(target.value);
    if (target.name === "prompt" && !named) field("repo_name").value = suggested(target.value);
    mark(target.name, "");
    forTab.set("draft", JSON.stringify({ ...draft(form), named }));
    clearTimeout(timer);
    timer = setTimeout(guess, PAUSE);
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
    form.querySelector("details").open = FIELDS.slice(4).some((name) => kept[name] && kept[name] !== "checked");
    if (kept.prompt) guess();
  }

  async function guess() {
    const turn = ++asked;
    const body = bodyOf(form);
    if (!body.prompt.trim()) return void (estimate.textContent = t("estimateNone"));
    try {
      const found = await post("estimate", { ...body, repo_name: valid(body.repo_name) ? body.repo_name : "estimate" });
      if (turn === asked) tell(found);
    } catch {
      if (turn === asked) estimate.textContent = "";
    }
  }

  function tell({ model, prompt_tokens: said, completion_tokens: { low, high }, cost, basis }) {
    const range = t("estimate", model, number(said + low), number(said + high));
    estimate.textContent = range + (cost ? t("estimateCost", money(cost.low), money(cost.high)) : t("estimateNoPrice"));
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
    mark("prompt", body.prompt.trim() ? "" : t("required"));
    mark("repo_name", valid(body.repo_name) ? "" : body.repo_name ? t("nameWrong") : t("required"));
    return !attend();
  }

  function refuse(error) {
    if (error instanceof Unreachable) return trouble.replaceChildren(h("p", {}, t("unreachable")));
    if (!(error instanceof Problem)) throw error;
    if (error.code === "IDEMPOTENCY_KEY_REUSED") sent = null;
    const stray = error.errors.filter(({ field: name, message }) => !mark(name, message));
    if (attend() && !stray.length) return trouble.replaceChildren(h("p", {}, t("fieldWrong")));
    const wait = error.wait ? ` ${t("waitSeconds", error.wait)}` : "";
    trouble.replaceChildren(
      h("p", {}, h("code", {}, error.code), " ", error.message),
      h("p", {}, advice(error.code) + wait));
  }

  /** Puts a complaint beside its field; false if there is no such field. */
  function mark(name, message) {
    const control = field(name);
    const note = form.querySelector(`[id="${CSS.escape(name)}-wrong"]`);
    if (!control || !note) return false;
    note.textContent = message;
    if (message) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
    return true;
  }

  /** Goes to the first field with a complaint; false if there is none. */
  function attend() {
    const first = form.querySelector("[aria-invalid]");
    if (!first) return false;
    first.closest("details")?.setAttribute("open", "");
    first.focus();
    return true;
  }

  return () => clearTimeout(timer);
}

// --- what it looks like -----------------------------------------------------------------------------

function parts() {
  return [
    h("h1", {}, t("formTitle")),
    h("p", { class: "lead" }, t("formLead")),
    labelled("prompt", t("prompt"), t("promptHint"),
      h("textarea", { rows: 5, maxlength: 100_000, required: true, "aria-keyshortcuts": "Control+Enter" })),
    h("div", { class: "examples", role: "group", "aria-label": t("examples") },
      ...t("exampleTexts").map((text) => h("button", { type: "button", class: "chip", onclick: use(text) }, text))),
    h("div", { class: "pair" },
      labelled("repo_name", t("name"), t("nameHint"),
        h("input", { maxlength: 100, required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false" })),
      labelled("private", t("visibility"), "", choice([["true", t("private")], ["false", t("public")]]))),
    h("label", { class: "tick" },
      h("input", { type: "checkbox", name: "approve_plan", "aria-describedby": "approve-hint" }),
      h("span", {}, t("approve"), h("small", { id: "approve-hint" }, t("approveHint")))),
    h("details", {}, h("summary", {}, t("options")), h("div", { class: "grid" },
      labelled("model", t("model"), t("modelHint"), text(t("default"))),
      labelled("host", t("host"), t("hostHint"), text(t("default"))),
      labelled("github_org", t("organisation"), t("organisationHint"), text(t("default"))),
      labelled("max_tokens", t("maxTokens"), t("maxTokensHint"), text(t("noLimit"), "numeric")),
      labelled("max_cost", t("maxCost"), t("maxCostHint"), text(t("noLimit"), "decimal")),
      labelled("deliver", t("deliver"), "", choice([["checked", t("deliverChecked")], ["best_effort", t("deliverBest")]])))),
  ];
}

function labelled(name, label, hint, control) {
  control.id = name;
  control.setAttribute("name", name);
  control.setAttribute("aria-describedby", `${hint ? `${name}-hint ` : ""}${name}-wrong`);
  return h("div", { class: "field" }, h("label", { for: name }, label), control,
    hint && h("small", { id: `${name}-hint` }, hint), h("p", { class: "wrong", id: `${name}-wrong` }));
}

const text = (placeholder, inputmode) =>
  h("input", { placeholder, inputmode, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
const choice = (pairs) => h("select", {}, ...pairs.map(([value, name]) => h("option", { value }, name)));

const use = (example) => () => {
  const prompt = document.getElementById("prompt");
  prompt.value = example;
  prompt.dispatchEvent(new Event("input", { bubbles: true }));
  prompt.focus();
};

// --- what it says -----------------------------------------------------------------------------------

function draft(form) {
  return Object.fromEntries(FIELDS.map((name) => {
    const control = form.elements.namedItem(name);
    return [name, control.type === "checkbox" ? control.checked : control.value];
  }));
}

/** The request; what was left empty is left out. */
function bodyOf(form) {
  const said = draft(form);
  const body = { prompt: said.prompt, repo_name: said.repo_name.trim(), private: said.private === "true" };
  for (const name of ["model", "host", "github_org", "max_cost"]) if (said[name].trim()) body[name] = said[name].trim();
  const most = said.max_tokens.replace(/[\s,_]/g, "");
  if (most) body.max_tokens = /^\d+$/.test(most) ? Number(most) : said.max_tokens;
  if (said.deliver !== "checked") body.deliver = said.deliver;
  if (said.approve_plan) body.approve_plan = true;
  return body;
}

const valid = (name) => NAME.test(name) && !RESERVED.test(name);

const IDLE = new Set("a an and for in of on or the to with that which by as is it its using use small simple".split(" "));

/** A name made of the prompt's first Latin words; empty if it has none. */
function suggested(prompt) {
  const words = prompt.slice(0, 300).toLowerCase().match(/[a-z][a-z0-9]*/g) || [];
  return words.filter((word) => !IDLE.has(word)).slice(0, 4).join("-").slice(0, 60);
}

/** Known to nobody else; crypto.randomUUID is there on secure origins only. */
function unique() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
