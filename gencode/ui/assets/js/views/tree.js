// The files as a tree that fills in. Arrow keys go through it, Enter opens.

import { h, icon, put } from "../dom.js";
import { size, t } from "../words.js";

const GLYPHS = { planned: "dot", writing: "pen", whole: "check", repaired: "check" };

/** `chosen(path)` is told what the user picked. */
export function fileTree(chosen) {
  const tree = h("ul", {
    class: "tree",
    role: "tree",
    "aria-label": t("files"),
    onkeydown: keys,
    onclick: clicked,
  });
  let rows = new Map(); // path -> {element, glyph, note, told}
  let drawn = "";
  let current = null;

  function update(task, selected) {
    const paths = [...task.files.keys()];
    const shape = paths.join("\n");
    if (shape !== drawn) draw(paths);
    drawn = shape;
    for (const [path, row] of rows)
      if (task.files.has(path)) tell(row, task.files.get(path), path === selected);
    if (current !== selected) focusable(rows.get(selected)?.element || tree.querySelector("[role=treeitem]"));
    current = selected;
  }

  function draw(paths) {
    const kept = rows;
    const focused = tree.contains(document.activeElement) ? document.activeElement.dataset.path : undefined;
    rows = new Map();
    tree.replaceChildren(
      ...lines(paths).map(({ name, path, depth, folder }) => {
        if (folder) return folderRow(name, depth);
        const row = kept.get(path) || fileRow(name, path, depth);
        rows.set(path, row);
        return row.element;
      }),
    );
    if (focused !== undefined) rows.get(focused)?.element.focus();
    if (!tree.querySelector('[tabindex="0"]')) focusable(tree.querySelector("[role=treeitem]"));
  }

  function fileRow(name, path, depth) {
    const glyph = h("span", { class: "glyph" });
    const note = h("span", { class: "row-note" });
    const element = h(
      "li",
      {
        class: "leaf",
        role: "treeitem",
        tabindex: "-1",
        "aria-level": depth + 1,
        "data-path": path,
        title: path,
      },
      glyph,
      h("span", { class: "row-name" }, name),
      note,
    );
    element.style.setProperty("--depth", depth);
    return { element, glyph, note, told: "" };
  }

  function tell(row, file, selected) {
    row.element.setAttribute("aria-selected", String(selected));
    const words = file.state === "writing" && file.again ? t("again") : t("fileStates")[file.state];
    const note = [
      file.state === "writing" ? words : file.bytes != null ? size(file.bytes) : "",
      file.faults ? t("faults", file.faults) : "",
    ];
    const told = `${file.state} ${note.join()}`;
    if (told === row.told) return;
    row.told = told;
    const isFaulty = file.faults > 0 && file.state !== "writing";
    row.glyph.className = `glyph ${isFaulty ? "faulty" : file.state}`;
    row.glyph.replaceChildren(icon(isFaulty ? "warn" : GLYPHS[file.state]));
    put(row.note, note.filter(Boolean).join(" · "));
    row.element.setAttribute(
      "aria-label",
      [file.path, words, ...note.slice(file.state === "writing" ? 1 : 0)].filter(Boolean).join(", "),
    );
  }

  function keys(event) {
    const items = [...tree.querySelectorAll("[role=treeitem][data-path]")];
    const at = items.indexOf(document.activeElement);
    const moves = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      focusable(items[Math.max(0, Math.min(items.length - 1, moves[event.key]))], true);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      clicked(event);
    }
  }

  function clicked(event) {
    const item = event.target.closest("[data-path]");
    if (item) chosen(item.dataset.path);
  }

  /** One item is in the order of tabs; the arrow keys move that place. */
  function focusable(item, focus = false) {
    if (!item) return;
    for (const other of tree.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
    item.tabIndex = 0;
    if (focus) item.focus();
  }

  return { element: tree, update };
}

function folderRow(name, depth) {
  const row = h(
    "li",
    { class: "branch", role: "none" },
    h("span", { class: "glyph" }, icon("folder")),
    h("span", { class: "row-name" }, name),
  );
  row.style.setProperty("--depth", depth);
  return row;
}

/** Folders and files in the order of a listing: folders first, each by name. */
function lines(paths) {
  const top = new Map();
  for (const path of paths) {
    let folder = top;
    const names = path.split("/");
    names.forEach((name, index) => {
      const last = index === names.length - 1;
      const key = last ? `file ${name}` : `folder ${name}`;
      if (!folder.has(key)) folder.set(key, last ? { name, path } : { name, folder: new Map() });
      folder = folder.get(key).folder;
    });
  }
  return flat(top, 0);
}

const byPlace = (one, other) =>
  Boolean(other.folder) - Boolean(one.folder) || (one.name < other.name ? -1 : 1);

function flat(folder, depth) {
  return [...folder.values()]
    .sort(byPlace)
    .flatMap((entry) =>
      entry.folder ? [{ ...entry, depth }, ...flat(entry.folder, depth + 1)] : [{ ...entry, depth }],
    );
}
