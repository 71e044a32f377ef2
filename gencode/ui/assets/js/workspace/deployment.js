// What a deployment config has besides its form: its secrets, and the files that are made of it.

import { get, request } from "../api.js";
import { attend, labelled, mark, text } from "../controls.js";
import { copier } from "../copier.js";
import { fill, h, icon } from "../dom.js";
import { t } from "../words.js";
import { refuse, said, showAgain, sure } from "./resource.js";

/** The detail of a config, below its form. */
export const deploymentDetail = (row, may) =>
  h("div", { class: "details" }, secrets(row, may.change), files(`deployments/${row.id}/rendered`));

/** Their names: the values are never shown. `isOpen`: whether one may change them. */
function secrets({ id, secrets: names }, isOpen) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const change = async (name, value, form = null) => {
    fill(trouble);
    try {
      await request(`deployments/${id}`, { method: "PATCH", body: { secrets: { [name]: value } } });
      showAgain();
    } catch (error) {
      for (const one of error.errors || []) one.field = one.rule === "string_too_short" ? "secret-value" : "secret-name";
      refuse(form, trouble, error);
    }
  };
  const remove = async (name) => (await sure(t("removeSure", name), t("removeYes"))) && change(name, null);
  return h(
    "section",
    { "aria-labelledby": "secrets-title" },
    h("h2", { id: "secrets-title" }, t("secrets")),
    h("p", { class: "note" }, t("secretsHint")),
    names.length ? h("ul", { class: "element-list" }, ...names.map((name) => secret(name, isOpen && remove))) : h("p", { class: "note" }, t("noSecrets")),
    isOpen && adding(change),
    trouble,
  );
}

const secret = (name, remove) =>
  h(
    "li",
    {},
    h("code", {}, name),
    h("span", { class: "row-note" }, t("secretStored")),
    remove && h("button", { type: "button", class: "button quiet", "aria-label": t("bpRemove", name), onclick: () => remove(name) }, icon("bin"), t("remove")),
  );

function adding(change) {
  const value = h("input", { type: "password", autocomplete: "off", spellcheck: "false" });
  const form = h(
    "form",
    { class: "form", novalidate: true },
    h("div", { class: "grid" }, labelled("secret-name", t("secretName"), t("secretNameHint"), text("MAIL_PASSWORD")), labelled("secret-value", t("secretValue"), t("apiKeyHint"), value)),
    h("div", { class: "buttons" }, h("button", { class: "button" }, t("storeSecret"))),
  );
  form.addEventListener("input", (event) => mark(form, event.target.name, ""));
  form.onsubmit = (event) => {
    event.preventDefault();
    const name = form.elements["secret-name"].value.trim();
    mark(form, "secret-name", name ? "" : t("required"));
    mark(form, "secret-value", value.value ? "" : t("required"));
    if (!attend(form)) change(name, value.value, form);
  };
  return form;
}

function files(path) {
  const shown = h("div", { class: "stack" }, h("p", { class: "note" }, t("loading")));
  get(path).then(
    (found) => fill(shown, h("p", { class: "note" }, t("missingSecrets", found.missing.join(", "))), ...found.files.map(file)),
    (error) => fill(shown, h("p", { class: "note" }, said(error))),
  );
  return h("section", { "aria-labelledby": "rendered-title" }, h("h2", { id: "rendered-title" }, t("renderedFiles")), h("p", { class: "note" }, t("renderedHint")), shown);
}

const file = ({ path, text: content }) =>
  h(
    "div",
    { class: "stack tight" },
    h("div", { class: "head-line" }, h("h3", {}, path), h("span", { class: "spring" }), copier(content, path)),
    h("pre", { class: "quoted", tabindex: "0", role: "region", "aria-label": path }, content),
  );
