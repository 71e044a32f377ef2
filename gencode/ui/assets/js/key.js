// The dialog that asks for an API key, when the service wants one.

import { keepKey } from "./api.js";
import { h } from "./dom.js";
import { t } from "./words.js";

let open = null;

/** Resolves to the key that the user gave (and the tab now keeps), or null. One dialog, however many ask. */
export function askForKey(wrong) {
  open ??= show(wrong).finally(() => (open = null));
  return open;
}

function show(wrong) {
  const field = h("input", {
    id: "key",
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
    "aria-describedby": wrong ? "key-wrong key-note" : "key-note",
    "aria-invalid": wrong ? "true" : null,
  });
  const dialog = h(
    "dialog",
    { class: "dialog", "aria-labelledby": "key-title" },
    h(
      "form",
      { method: "dialog" },
      h("h2", { id: "key-title" }, t("keyTitle")),
      h("label", { for: "key" }, t("keyLabel")),
      field,
      wrong && h("p", { id: "key-wrong", class: "wrong" }, t("keyWrong")),
      h("p", { id: "key-note", class: "note" }, t("keyNote")),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", class: "button", onclick: () => dialog.close("") }, t("notNow")),
        h("button", { class: "button primary", value: "use" }, t("useKey")),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const given = dialog.returnValue === "use" ? field.value.trim() : "";
      dialog.remove();
      if (given) keepKey(given);
      resolve(given || null);
    });
  });
}
