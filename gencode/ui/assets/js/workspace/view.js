// The workspace: its sections beside each other, and the one that the address names.

import { fill, h } from "../dom.js";
import { t } from "../words.js";
import { formOf, heading, listOf } from "./resource.js";
import { GROUPS } from "./sections.js";

/** Fills `main` with the view of `#/workspace/SECTION/ID/...`; gives what takes it away. Its `move` shows another
 * part of the same view, and tells whether there is one. */
export function workspaceView(main, name, id, ...parts) {
  const [group, section] = found(name);
  const box = h("article", { class: "sheet workspace" });
  main.append(tabs(group, section), box);
  document.title = `${t(section.title)} · gencode`;
  fill(box, heading(t(section.title)), h("p", { class: "note" }, t("loading"))); // until the section is loaded
  let isShown = true;
  const shown = show(section, box, id, ...parts);
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

function show(section, box, id, ...parts) {
  if (section.show) return section.show(box, id, ...parts);
  if (section.onlyForm) return formOf(box, section, "new");
  if (section.part && parts.length) return section.part(box, id, ...parts);
  return id ? formOf(box, section, id) : listOf(box, section);
}

/** Two lines of links: the groups, and the sections of the one that is shown. */
function tabs(group, current) {
  const link = ({ name }, text, current) => h("a", { href: `#/workspace/${name}`, "aria-current": current || null }, text);
  return h(
    "nav",
    { "aria-label": t("workspace") },
    h("div", { class: "tabs groups" }, ...Object.entries(GROUPS).map(([name, [first]]) => link(first, t("groups")[name], name === group && "true"))),
    h("div", { class: "tabs" }, ...GROUPS[group].map((section) => link(section, t(section.title), section === current && "page"))),
  );
}

/** The group and the section of that name, or the first ones. */
function found(name) {
  const all = Object.entries(GROUPS).flatMap(([group, sections]) => sections.map((section) => [group, section]));
  return all.find(([, section]) => section.name === name) || all[0];
}
