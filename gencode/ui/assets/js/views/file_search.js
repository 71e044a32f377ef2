// Searches in the texts of a task's files; its results stand in place of the tree.

import { escaped, request } from "../api.js";
import { fill, h, put } from "../dom.js";
import { isWhole } from "../task.js";
import { t } from "../words.js";

const PAUSE = 250; // milliseconds without a keystroke, after which it searches
const AT_ONCE = 6; // files that are read at the same time
const MOST = 200; // lines that are shown
const MOST_SHOWN = 200; // characters of a line

/** `chosen(path, line)` is told which line the user picked, and `changed()` that results are shown or gone. */
export function fileSearch({ address }, chosen, changed) {
  const field = h("input", { type: "search", id: "search-files", autocomplete: "off", spellcheck: "false" });
  field.placeholder = t("searchFiles");
  field.setAttribute("aria-label", t("searchFiles"));
  const told = h("p", { class: "note", role: "status" });
  const rows = h("ul", { class: "found-lines", "aria-label": t("searchFiles") });
  const element = h("div", { class: "file-search", hidden: true }, field, told, rows);
  const texts = new Map(); // path -> {state, text}
  let task = null;
  let timer = null;
  let asked = 0;
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, field.value.trim() ? PAUSE : 0);
  });

  /** Returns whether results are shown. */
  function update(now) {
    task = now;
    element.hidden = ![...task.files.values()].some(isWhole);
    return Boolean(field.value.trim());
  }

  async function search() {
    const turn = ++asked;
    const wanted = field.value.trim().toLowerCase();
    changed();
    rows.replaceChildren();
    put(told, wanted ? t("loading") : "");
    if (!wanted) return;
    const paths = [...task.files.values()].filter(isWhole).map(({ path }) => path).sort();
    await each(paths, AT_ONCE, read);
    if (turn !== asked) return;
    const found = paths.flatMap((path) => matches(path, texts.get(path)?.text ?? "", wanted));
    put(told, t("foundLines", found.length));
    fill(rows, ...found.slice(0, MOST).map(row));
  }

  async function read(path) {
    const { state } = task.files.get(path);
    if (texts.get(path)?.state === state) return;
    try {
      texts.set(path, { state, text: await (await request(`${address}/files/${escaped(path)}`)).text() });
    } catch {
      texts.delete(path); // it is read again by the next search
    }
  }

  function row({ path, line, text }) {
    const open = h(
      "button",
      { type: "button", class: "found-line", onclick: () => chosen(path, line) },
      h("span", { class: "row-note" }, `${path}:${line}`),
      h("code", {}, text),
    );
    return h("li", {}, open);
  }

  return { element, update };
}

/** The lines of the text that have the words, and a file whose path has them. */
function matches(path, text, wanted) {
  const lines = text
    .split("\n")
    .map((line, index) => ({ path, line: index + 1, text: line.trim().slice(0, MOST_SHOWN), whole: line }))
    .filter(({ whole }) => whole.toLowerCase().includes(wanted));
  if (!lines.length && path.toLowerCase().includes(wanted)) return [{ path, line: 1, text: "" }];
  return lines;
}

/** Runs `work` for each item, so many at a time. */
async function each(items, atOnce, work) {
  const rest = items.values();
  const run = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, run));
}
