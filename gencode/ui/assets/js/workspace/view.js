// The workspace: its sections beside each other, and the one that the address names.

import { fill, h } from "../dom.js";
import { t } from "../words.js";
import { formOf, heading, listOf } from "./resource.js";
import { SECTIONS } from "./sections.js";

/** Fills `main` with the view of `#/workspace/SECTION/ID/...`; gives what takes it away. Its `move` shows another
 * part of the same view, and tells whether there is one. */
export function workspaceView(main, name, id, ...parts) {
  const section = SECTIONS.find((one) => one.name === name) || SECTIONS[0];
  const box = h("article", { class: "sheet workspace" });
  main.append(tabs(section), box);
  document.title = `${t(section.title)} · gencode`;
  fill(box, heading(t(section.title)), h("p", { class: "note" }, t("loading"))); // until the section is loaded
  let isShown = true;
  const shown = section.show ? section.show(box, id, ...parts) : id ? formOf(box, section, id) : listOf(box, section);
  let turn = null; // what shows another part, of views that have parts
  Promise.resolve(shown).then(
    (found) => (turn = isShown && typeof found === "function" ? found : null),
    (error) => {
      if (isShown) fill(box, heading(t(section.title)), h("p", { class: "note" }, error.message));
      else throw error;
    },
  );
  const leave = () => {
    isShown = false;
    box.dispatchEvent(new CustomEvent("leave"));
  };
  leave.move = (otherName, otherId, ...others) => {
    if (!turn || otherName !== name || otherId !== id) return false;
    turn(...others);
    return true;
  };
  return leave;
}

function tabs(current) {
  return h(
    "nav",
    { class: "tabs", "aria-label": t("workspace") },
    ...SECTIONS.map((section) =>
      h(
        "a",
        { href: `#/workspace/${section.name}`, "aria-current": section === current ? "page" : null },
        t(section.title),
      ),
    ),
  );
}
