// Edits of a form that are not saved: the tab keeps them, so that a reload does not lose them.

import { h } from "../dom.js";
import { forTab } from "../storage.js";
import { t } from "../words.js";

/**
 * Puts the kept edits into the form and keeps those to come. Passwords and files are never kept.
 *
 * @param name  of the form, such as `models/new`
 * @param tag   the version of the row that the form shows, or null
 * @param undo  shows the form without the edits
 * @returns     {notice, forget}: what says that there were some, and what ends them
 */
export function keepEdits(form, name, tag, undo) {
  const key = `form.${name}`;
  const kept = JSON.parse(forTab.get(key) || "null");
  const edits = kept?.edits || {};
  for (const [field, value] of Object.entries(edits)) put(form.elements.namedItem(field), value);
  form.addEventListener("input", ({ target }) => {
    if (!target.name || ["password", "file"].includes(target.type)) return;
    edits[target.name] = target.type === "checkbox" ? target.checked : target.value;
    forTab.set(key, JSON.stringify({ tag: kept ? kept.tag : tag, edits }));
  });
  const forget = () => forTab.set(key, null);
  return { notice: kept && notice(kept.tag !== tag, () => (forget(), undo())), forget };
}

/** Ends the edits that are kept of a form. */
export const forgetEdits = (name) => forTab.set(`form.${name}`, null);

function put(control, value) {
  if (!control || control.disabled || control.readOnly) return;
  if (control.type === "checkbox") control.checked = value;
  else control.value = value;
}

const notice = (isOlder, discard) =>
  h(
    "p",
    { class: "notice" },
    h("span", {}, t(isOlder ? "editsOfOlder" : "editsKept")),
    h("button", { type: "button", class: "button", onclick: discard }, t("discardEdits")),
  );
