// The list of a resource, and the form by which one of its rows is created or changed.

import { Problem, Unreachable, get, request } from "../api.js";
import { attend, mark } from "../controls.js";
import { announce, fill, h, icon } from "../dom.js";
import { problemOf } from "../field_problems.js";
import { advice } from "../kinds.js";
import { ago, dated, t } from "../words.js";
import { controls, freeze, values } from "./form.js";
import { keepEdits } from "./kept_form.js";
import { uploadField } from "./upload.js";

const PAGE = 50;
const KEY = "[key]"; // how the service says that not the value, but its name is wrong
const at = (section, id) => `#/workspace/${section.name}/${id}`;

/** The rows, newest first, a page at a time. */
export async function listOf(box, section) {
  const rows = h("ul", { class: "cards" });
  const words = h("p", { class: "note" }, t("loading"));
  const more = h("button", { class: "button", hidden: true }, t("olderRows"));
  const add = section.fields && !section.isUploaded && h("a", { class: "button primary", href: at(section, "new") }, icon("plus"), t("add"));
  const done = (row) => (location.hash = at(section, row.id));
  const upload = section.upload && uploadField(section.upload, { done, ...section.uploads?.() });
  fill(box, heading(t(section.title), add), h("p", { class: "lead" }, t(section.lead)), upload, rows, words, more);
  let cursor = null;
  const load = async () => {
    try {
      const query = new URLSearchParams({ limit: PAGE, ...(cursor ? { cursor } : {}) });
      const page = await get(`${section.path}?${query}`);
      const found = [...(cursor ? [] : page.official || []), ...page[section.rows || "items"]];
      rows.append(...found.map((row) => item(section, row)));
      cursor = page.next_cursor;
      more.hidden = !cursor;
      words.hidden = rows.children.length > 0;
      words.textContent = t("noRows");
    } catch (error) {
      if (add && error.status === 403) add.hidden = true;
      words.hidden = false;
      words.textContent = said(error);
    }
  };
  more.onclick = load;
  await load();
}

function item(section, row) {
  const when = row.updated_at && t("changed", ago(row.updated_at, Date.now()));
  const note = [section.note?.(row), when].filter(Boolean).join(" · ");
  return h(
    "li",
    { class: "card" },
    h("h2", {}, h("a", { href: at(section, row.id) }, row[section.label || "name"])),
    h("p", { class: "note", title: row.updated_at && dated(row.updated_at) }, note),
  );
}

/** The form of a new row (`id` is "new") or of a known one. `news`: what has just happened to it. */
export async function formOf(box, section, id, news = "") {
  const known = id !== "new";
  let found;
  try {
    found = known ? await request(`${section.path}/${encodeURIComponent(id)}`) : null;
  } catch (error) {
    return fill(box, heading(t(section.title)), h("p", { class: "note" }, said(error)));
  }
  const [row, tag] = found ? [await found.json(), found.headers.get("etag")] : [null, null];
  const may = row ? rightsOf(section, row, found) : { change: true, remove: false };
  const trouble = h("div", { class: "trouble", role: "alert" });
  const fields = section.fields.filter((field) => isPartOf(field, row));
  const form = h("form", { class: "form", novalidate: true }, ...controls(fields, row).filter(Boolean));
  const outcome = h("p", { class: "note", role: "status" }, news);
  if (!may.change) freeze(form);
  const kept = keepEdits(form, `${section.name}/${id}`, tag, () => formOf(box, section, id));
  if (kept.notice && may.change) form.prepend(kept.notice);
  const buttons = actions(section, row, tag, may, kept, trouble, outcome);
  form.append(h("div", { class: "send" }, buttons, outcome, trouble));
  form.onsubmit = (event) => {
    event.preventDefault();
    if (may.change) save(form, { ...section, fields }, row, tag, trouble, kept, again);
  };
  form.addEventListener("input", (event) => mark(form, event.target.name, ""));
  const title = row ? row[section.label || "name"] : section.heading ? t(section.heading) : t("newRows")[section.name];
  const back = !section.heading && h("a", { class: "button quiet", href: `#/workspace/${section.name}` }, t(section.title));
  fill(box, heading(title, back), form, row && section.detail?.(row, may));

  async function again(words) {
    await formOf(box, section, id, words);
    box.querySelector("form .primary")?.focus();
  }
}

const isPartOf = ({ name, once, onlyNew, onlyKnown }, row) => (row ? !onlyNew && !(once && row[name] === null) : !onlyKnown);

/** Shows the row as it is now. */
export function showAgain() {
  announce(t("saved"));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** What belongs to the service is changed by nobody. */
function rightsOf(section, row, answer) {
  return section.isFixed?.(row) ? { change: false, remove: false } : allowed(answer);
}

/** What one may do with the row of this answer: its Allow has PATCH and DELETE for who may. */
export function allowed(answer) {
  const methods = answer.headers.get("allow")?.split(/, */);
  return { change: !methods || methods.includes("PATCH"), remove: !methods || methods.includes("DELETE") };
}

function actions(section, row, tag, may, kept, trouble, outcome) {
  const possible = (section.actions || []).filter((one) => row && may.change && (!one.when || one.when(row)));
  const more = possible.map((one) => actionButton(section, one, row, trouble, outcome));
  const away = () => remove(section, row, tag, trouble, kept);
  return h(
    "div",
    { class: "buttons" },
    may.change
      ? h("button", { class: "button primary" }, t(section.submit || "save"))
      : h("p", { class: "note" }, t("readOnly")),
    ...more,
    may.remove && h("button", { type: "button", class: "button danger", onclick: away }, t("remove")),
  );
}

function actionButton(section, { name, path, body, label, told }, row, trouble, outcome) {
  const run = async () => {
    button.disabled = true;
    outcome.textContent = t("working");
    trouble.replaceChildren();
    try {
      const to = path || `${section.path}/${row.id}/${name}`;
      const answer = await (await request(to, { method: "POST", body: body?.(row) })).json();
      if (answer.task_id) return void (location.hash = `#/task/${answer.task_id}`);
      outcome.textContent = told?.(answer) || "";
    } catch (error) {
      outcome.textContent = "";
      refuse(null, trouble, error);
    }
    button.disabled = false;
  };
  const button = h("button", { type: "button", class: "button", onclick: run }, t(label));
  return button;
}

/** A row with more than its form, or with something to do, is shown; of others the list is. */
async function save(form, section, row, tag, trouble, kept, again) {
  trouble.replaceChildren();
  const body = values(form, section.fields, row);
  const missing = section.fields.filter((field) => form.elements.namedItem(field.name).validity?.valueMissing);
  missing.forEach((field) => mark(form, field.name, t("required")));
  if (attend(form)) return;
  try {
    const path = row ? `${section.path}/${row.id}` : section.path;
    const headers = tag ? { "If-Match": tag } : {};
    const answer = await (await request(path, { method: row ? "PATCH" : "POST", body, headers })).json();
    kept.forget();
    announce(t("saved"));
    const isShown = section.detail || section.actions || answer.task_id;
    if (answer.task_id && !answer.id) location.hash = `#/task/${answer.task_id}`;
    else if (isShown && row) await again(t("saved"));
    else if (isShown) location.hash = at(section, answer.id);
    else location.hash = `#/workspace/${section.name}`;
  } catch (error) {
    refuse(form, trouble, error);
    if (error.status === 412) trouble.append(h("button", { type: "button", class: "button", onclick: () => again("") }, t("showNow")));
  }
}

async function remove(section, row, tag, trouble, kept) {
  if (!(await sure(t("removeSure", row[section.label || "name"]), t("removeYes")))) return;
  try {
    await request(`${section.path}/${row.id}`, { method: "DELETE", headers: tag ? { "If-Match": tag } : {} });
    kept.forget();
    announce(t("removed"));
    location.hash = `#/workspace/${section.name}`;
  } catch (error) {
    refuse(null, trouble, error);
  }
}

/** Asks whether this is really wanted. */
export function sure(question, yes) {
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "sure-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "sure-title" }, question),
      h(
        "div",
        { class: "buttons" },
        h("button", { class: "button", value: "no" }, t("notNow")),
        h("button", { class: "button danger", value: "yes" }, yes),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

/** Says what the service refused: beside the fields that it names, else below the form. */
export function refuse(form, trouble, error) {
  if (!(error instanceof Problem)) return trouble.replaceChildren(h("p", {}, said(error)));
  const stray = error.errors.filter((one) => !form || !markNearest(form, one.field, problemOf(one)));
  if (form && attend(form) && !stray.length) return trouble.replaceChildren(h("p", {}, t("fieldWrong")));
  trouble.replaceChildren(
    h("p", {}, h("code", {}, error.code), " ", error.message),
    h("p", {}, advice(error.code) || ""),
  );
}

/** Of `config.variables.PATH` at the control of `config.variables`, if it has none of its own. */
function markNearest(form, field, message) {
  const parts = field.split(".");
  for (let length = parts.length; length; length -= 1) {
    const rest = parts.slice(length).filter((part) => part !== KEY).join(".");
    if (mark(form, parts.slice(0, length).join("."), rest ? `${rest}: ${message}` : message)) return true;
  }
  return false;
}

/** What an error says to a person. */
export function said(error) {
  if (error instanceof Unreachable) return t("unreachable");
  if (error instanceof Problem) return error.status === 404 ? t("rowNotThere") : error.message;
  throw error;
}

export const heading = (text, ...beside) =>
  h("div", { class: "head-line" }, h("h1", {}, text), h("span", { class: "spring" }), ...beside.filter(Boolean));
