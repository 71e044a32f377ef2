// The fields of the form: what they look like, and what they say.

import { hostSelect, modelSelect } from "../choices.js";
import { choice, examples, labelled, text } from "../controls.js";
import { h } from "../dom.js";
import { t } from "../words.js";

const NAME = /^[A-Za-z0-9._-]{1,100}$/;
const RESERVED = /^\.+$|\.(git|wiki|atom)$/i;
export const FIELDS = [
  "prompt",
  "repo_name",
  "private",
  "approve_plan",
  "model",
  "host",
  "github_org",
  "max_tokens",
  "max_cost",
  "deliver",
];

// --- what it looks like -----------------------------------------------------------------------------

export function parts() {
  return [
    h("h1", {}, t("formTitle")),
    h("p", { class: "lead" }, t("formLead")),
    labelled(
      "prompt",
      t("prompt"),
      t("promptHint"),
      h("textarea", { rows: 4, maxlength: 100_000, required: true, "aria-keyshortcuts": "Control+Enter" }),
    ),
    examples("prompt", t("exampleTexts")),
    h(
      "div",
      { class: "pair" },
      labelled(
        "repo_name",
        t("name"),
        t("nameHint"),
        h("input", {
          maxlength: 100,
          required: true,
          autocomplete: "off",
          autocapitalize: "none",
          spellcheck: "false",
        }),
      ),
      labelled(
        "private",
        t("visibility"),
        "",
        choice([
          ["true", t("private")],
          ["false", t("public")],
        ]),
      ),
    ),
    h(
      "label",
      { class: "tick" },
      h("input", { type: "checkbox", name: "approve_plan", "aria-describedby": "approve-hint" }),
      h("span", {}, t("approve"), h("small", { id: "approve-hint" }, t("approveHint"))),
    ),
    h(
      "details",
      {},
      h("summary", {}, t("options")),
      h(
        "div",
        { class: "grid" },
        labelled("model", t("model"), t("modelHint"), modelSelect()),
        labelled("host", t("host"), t("hostHint"), hostSelect()),
        labelled("github_org", t("organisation"), t("organisationHint"), text(t("default"))),
        labelled("max_tokens", t("maxTokens"), t("maxTokensHint"), text(t("noLimit"), "numeric")),
        labelled("max_cost", t("maxCost"), t("maxCostHint"), text(t("noLimit"), "decimal")),
        labelled(
          "deliver",
          t("deliver"),
          "",
          choice([
            ["checked", t("deliverChecked")],
            ["best_effort", t("deliverBest")],
          ]),
        ),
      ),
    ),
  ];
}


// --- what it says -----------------------------------------------------------------------------------

export function draft(form) {
  return Object.fromEntries(
    FIELDS.map((name) => {
      const control = form.elements.namedItem(name);
      return [name, control.type === "checkbox" ? control.checked : control.value];
    }),
  );
}

/** The draft that `bodyOf` makes this request of, as far as the form has its fields. `named`: the name is taken
 * over; the form suggests none in its place. */
export function draftOf(request, named) {
  const value = (name) => (request[name] == null ? "" : String(request[name]));
  const texts = FIELDS.filter((name) => name !== "approve_plan").map((name) => [name, value(name)]);
  const taken = named ? value("repo_name") : "";
  return { ...Object.fromEntries(texts), approve_plan: Boolean(request.approve_plan), repo_name: taken, named };
}

/** The request; what was left empty is left out. */
export function bodyOf(form) {
  const said = draft(form);
  const body = { prompt: said.prompt, repo_name: said.repo_name.trim(), private: said.private === "true" };
  for (const name of ["model", "host", "github_org", "max_cost"])
    if (said[name].trim()) body[name] = said[name].trim();
  const most = said.max_tokens.replace(/[\s,_]/g, "");
  if (most) body.max_tokens = /^\d+$/.test(most) ? Number(most) : said.max_tokens;
  if (said.deliver !== "checked") body.deliver = said.deliver;
  if (said.approve_plan) body.approve_plan = true;
  return body;
}

export const valid = (name) => NAME.test(name) && !RESERVED.test(name);

const IDLE = new Set(
  "a an and for in of on or the to with that which by as is it its using use small simple".split(" "),
);

/** A name made of the prompt's first Latin words; empty if it has none. */
export function suggested(prompt) {
  const words =
    prompt
      .slice(0, 300)
      .toLowerCase()
      .match(/[a-z][a-z0-9]*/g) || [];
  return words
    .filter((word) => !IDLE.has(word))
    .slice(0, 4)
    .join("-")
    .slice(0, 60);
}

/** The name, with a number after it if it is taken. `taken`: names in lower case. */
export function unused(name, taken) {
  let free = name;
  for (let number = 2; free && taken.has(free); number += 1) free = `${name}-${number}`;
  return free;
}
