// The dialog that asks for a login, or for an API key, when the service wants one.

import { keepKey } from "./api.js";
import { h } from "./dom.js";
import { logIn, loginOptions } from "./session.js";
import { t } from "./words.js";

let open = null;

/** Resolves to whether the user logged in, or gave a key, which the tab now keeps. One dialog, however many ask. */
export function askForCredential(wrong) {
  open ??= show(wrong).finally(() => (open = null));
  return open;
}

async function show(wrong) {
  const options = await loginOptions();
  const dialog = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title" });
  const byKey = () => put(keyForm(dialog, wrong, options && byLogin));
  const byLogin = () => put(loginForm(dialog, byKey));
  const put = (form) => {
    dialog.replaceChildren(form);
    form.querySelector("input").focus();
  };
  if (options) byLogin();
  else byKey();
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "done");
    });
  });
}

function keyForm(dialog, wrong, instead) {
  const field = input("key", { type: "password", autocomplete: "off" });
  field.setAttribute("aria-describedby", wrong ? "key-wrong key-note" : "key-note");
  if (wrong) field.setAttribute("aria-invalid", "true");
  const use = (event) => {
    event.preventDefault();
    if (!field.value.trim()) return;
    keepKey(field.value.trim());
    dialog.close("done");
  };
  return h(
    "form",
    { method: "dialog", onsubmit: use },
    h("h2", { id: "dialog-title" }, t("keyTitle")),
    h("label", { for: "key" }, t("keyLabel")),
    field,
    wrong && h("p", { id: "key-wrong", class: "wrong" }, t("keyWrong")),
    h("p", { id: "key-note", class: "note" }, t("keyNote")),
    buttons(dialog, t("useKey"), instead && other(t("logInInstead"), instead)),
  );
}

function loginForm(dialog, instead) {
  const name = input("username", { autocomplete: "username" });
  const password = input("password", { type: "password", autocomplete: "current-password" });
  const refused = h("p", { class: "wrong", role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    try {
      const problem = await logIn(name.value, password.value);
      if (!problem) return dialog.close("done");
      refused.textContent = problem.code === "LOGIN_FAILED" ? t("loginWrong") : problem.detail;
    } catch {
      refused.textContent = t("unreachable");
    }
    password.value = "";
    password.focus();
  };
  return h(
    "form",
    { method: "dialog", onsubmit: submit },
    h("h2", { id: "dialog-title" }, t("loginTitle")),
    h("label", { for: "username" }, t("usernameLabel")),
    name,
    h("label", { for: "password" }, t("passwordLabel")),
    password,
    refused,
    h("p", { class: "note" }, t("loginNote")),
    buttons(dialog, t("logIn"), other(t("useKeyInstead"), instead)),
  );
}

const input = (id, more) => h("input", { id, required: true, spellcheck: "false", ...more });

const other = (text, turn) => h("button", { type: "button", class: "button quiet", onclick: turn }, text);

const buttons = (dialog, text, more) =>
  h(
    "div",
    { class: "buttons" },
    more,
    h("button", { type: "button", class: "button", onclick: () => dialog.close("") }, t("notNow")),
    h("button", { class: "button primary" }, text),
  );
