// One's own account: the password and the sessions.

import { get, request } from "../api.js";
import { attend, labelled, mark } from "../controls.js";
import { announce, fill, h } from "../dom.js";
import { dated, t } from "../words.js";
import { heading, refuse, said } from "./resource.js";

export async function accountView(box) {
  try {
    const [me, { sessions }] = await Promise.all([get("users/me"), get("auth/sessions")]);
    fill(box, heading(me.username), h("p", { class: "lead" }, `${me.email} · ${t("roles")[me.role]}`), passwordForm(), sessionList(sessions));
  } catch (error) {
    fill(box, heading(t("account")), h("p", { class: "note" }, error.status === 403 ? t("noAccount") : said(error)));
  }
}

function passwordForm() {
  const password = (name, label, autocomplete, hint) =>
    labelled(name, t(label), hint ? t(hint) : "", h("input", { type: "password", required: true, autocomplete }));
  const trouble = h("div", { class: "trouble", role: "alert" });
  const form = h(
    "form",
    { class: "form", novalidate: true },
    h("h2", {}, t("changePassword")),
    password("current_password", "currentPassword", "current-password"),
    password("new_password", "newPassword", "new-password", "newPasswordHint"),
    h("div", { class: "send" }, h("button", { class: "button primary" }, t("changePassword")), trouble),
  );
  form.addEventListener("input", (event) => event.target.name && mark(form, event.target.name, ""));
  form.onsubmit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    const body = { current_password: form.elements.current_password.value, new_password: form.elements.new_password.value };
    for (const [name, value] of Object.entries(body)) mark(form, name, value ? "" : t("required"));
    if (attend(form)) return;
    try {
      await request("auth/password", { method: "POST", body });
      form.reset();
      announce(t("saved"));
      trouble.replaceChildren(h("p", { class: "done" }, t("passwordChanged")));
    } catch (error) {
      refuse(form, trouble, error);
    }
  };
  return form;
}

function sessionList(sessions) {
  const list = h("ul", { class: "cards" }, ...sessions.map(session));
  return h("section", { "aria-labelledby": "sessions" }, h("h2", { id: "sessions" }, t("sessions")), list);
}

function session(one) {
  const end = async () => {
    await request(`auth/sessions/${one.id}`, { method: "DELETE" });
    announce(t("sessionEnded"));
    row.remove();
  };
  const row = h(
    "li",
    { class: "card row" },
    h(
      "div",
      {},
      h("p", {}, one.user_agent || t("unknownClient")),
      h("p", { class: "note" }, [one.address, t("lastUsed", dated(one.last_used_at))].filter(Boolean).join(" · ")),
    ),
    one.current ? h("span", { class: "note" }, t("thisSession")) : h("button", { class: "button", onclick: end }, t("endSession")),
  );
  return row;
}
