// The shell: which view the address names, and what stands around it.

import { credential, keepKey, onUnauthorized } from "./api.js";
import { askForCredential } from "./credential_dialog.js";
import { Follow } from "./follow.js";
import { fill, h, icon } from "./dom.js";
import { accessToken, logOut } from "./session.js";
import { inherit } from "./shared_credential.js";
import { forLong } from "./storage.js";
import { listView } from "./views/list.js";
import { newView } from "./views/new.js";
import { taskView } from "./views/task.js";
import { tellUnexpected } from "./unexpected.js";
import { language, speak, t } from "./words.js";
import { workspaceView } from "./workspace/view.js";

const THEMES = { system: "system", light: "sun", dark: "moon" };
const PLACES = ["tasks", "workspace"];
const main = document.getElementById("main");
let follow = null;
let unmount = () => {};
let list = null;

function start() {
  onUnauthorized(async (wrong) => {
    const given = (!wrong && (await inherit())) || (await askForCredential(wrong));
    header();
    return given;
  });
  addEventListener("hashchange", () => route(true));
  document.getElementById("skip").onclick = skipToContent;
  tellUnexpected();
  frame();
  route(false);
}

/** The address stays: it names the view. */
function skipToContent(event) {
  event.preventDefault();
  main.focus();
}

/** What is there on every view, in the chosen language. */
function frame() {
  document.documentElement.lang = language();
  document.getElementById("skip").textContent = t("skip");
  header();
  if (list) list.stop();
  list = listView(document.getElementById("tasks"));
}

function header() {
  fill(
    document.getElementById("header"),
    h("a", { class: "brand", href: "#/", "aria-label": t("home") }, "gencode"),
    h("a", { class: "button quiet only-narrow", href: "#/tasks" }, ...small("list", t("tasks"))),
    h(
      "a",
      { class: "button quiet", href: "#/" },
      ...small("plus", t("newTask")),
    ),
    "workspace" in document.body.dataset &&
      h("a", { class: "button quiet", href: "#/workspace" }, ...small("board", t("workspace"))),
    h("span", { class: "spring" }),
    h("a", { class: "button quiet", href: "docs" }, t("apiDocument")),
    credential() && forgetButton(accessToken() ? t("logOut") : t("forgetKey")),
    h(
      "button",
      { class: "button quiet", onclick: switchLanguage, lang: language() === "en" ? "zh" : "en" },
      t("otherLanguage"),
    ),
    themeButton(),
  );
}

function forgetButton(text) {
  return h(
    "button",
    { class: "button quiet", onclick: forget, title: text, "aria-label": text },
    ...small("key", text),
  );
}

/** An icon and words, which narrow screens have no room for. */
const small = (name, text) => [icon(name), h("span", { class: "not-narrow" }, text)];

function route(moved) {
  const [, place, id, ...parts] = location.hash.split("/");
  const wanted = place === "task" && id ? decoded(id) : null;
  if (follow && follow.id !== wanted) {
    follow.stop();
    follow = null;
  }
  if (wanted && !follow) {
    follow = new Follow(wanted);
    follow.start();
  }
  document.body.dataset.view = wanted ? "task" : PLACES.includes(place) ? place : "new";
  list.mark(wanted);
  const names = [id && decoded(id), ...parts.map(decoded)];
  if (moved && document.body.dataset.view === "workspace" && unmount.move?.(...names)) return;
  show(names);
  if (moved) main.focus({ preventScroll: true });
  scrollTo(0, 0);
}

/** What is no encoding is looked for as it stands: there is no such task, and the page says so. */
function decoded(id) {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

function show(names) {
  unmount();
  main.replaceChildren();
  if (follow) unmount = taskView(main, follow, { changed: () => list.refresh() });
  else if (document.body.dataset.view === "workspace") unmount = workspaceView(main, ...names);
  else unmount = newView(main, { submitted });
}

function submitted(id) {
  list.refresh();
  location.hash = `#/task/${encodeURIComponent(id)}`;
}

function switchLanguage() {
  speak(language() === "en" ? "zh" : "en");
  frame();
  route(false);
  document.querySelector("#header button[lang]").focus();
}

async function forget() {
  if (accessToken()) await logOut();
  else keepKey(null);
  if (follow) follow.stop();
  follow = null;
  header();
  route(false);
  list.refresh();
}

function themeButton() {
  const names = Object.keys(THEMES);
  const now = forLong.get("theme") || "system";
  const turn = () => {
    const next = names[(names.indexOf(now) + 1) % names.length];
    forLong.set("theme", next);
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    const button = themeButton();
    document.getElementById("theme").replaceWith(button);
    button.focus();
  };
  return h(
    "button",
    {
      id: "theme",
      class: "button quiet",
      onclick: turn,
      title: t("theme", now),
      "aria-label": t("theme", now),
    },
    icon(THEMES[now]),
  );
}

start();
