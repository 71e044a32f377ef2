// The components of a page as a tree: arrow keys choose one, with Alt they move it. Below it stands its form.

import { fill, h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { componentForm } from "./component_form.js";
import { fillSlots } from "./finding_slots.js";
import { slot, small } from "./inputs.js";
import { flattened, move, nameOf, newComponent } from "./spec.js";

const chosenOf = new Map(); // page id -> the id of the component that was chosen last

export function componentTree(draft, page, path) {
  const tree = h("ul", { role: "tree", class: "component-tree", "aria-labelledby": "components-title", onkeydown: keys });
  const form = h("div", {});
  const buttons = h("div", { class: "buttons" });
  draw();
  return h(
    "div",
    { class: "stack tight" },
    h("h4", { id: "components-title" }, t("bpComponents")),
    h("p", { class: "note" }, t(draft.isOpen ? "bpTreeHint" : "bpTreeHintClosed")),
    tree,
    buttons,
    form,
  );

  function all() {
    return flattened(page.components);
  }

  function current() {
    const found = all();
    return found.find(({ component }) => component.id === chosenOf.get(page.id)) || found[0];
  }

  function draw(focus = false) {
    const chosen = current();
    fill(tree, ...page.components.map((component) => item(component, chosen?.component)));
    tree.hidden = !chosen;
    fill(
      buttons,
      draft.isOpen && h("button", { type: "button", class: "button", id: "add-component", onclick: () => add(false) }, icon("plus"), t("bpAddComponent")),
      draft.isOpen && chosen && h("button", { type: "button", class: "button", onclick: () => add(true) }, icon("plus"), t("bpAddWithin", nameOf(chosen.component))),
      ...(draft.isOpen && chosen ? moves(chosen) : []),
    );
    fill(form, chosen && slot(`${path}/components/${chosen.component.id}`), chosen && componentForm(draft, chosen.component, () => draw()));
    fillSlots(form, draft);
    if (focus) tree.querySelector("[aria-selected=true]")?.focus();
  }

  function item(component, chosen) {
    const isChosen = component === chosen;
    const bound = component.dataBinding && draft.spec.dataModels.find(({ id }) => id === component.dataBinding.entity);
    const words = [component.type, bound && `${component.dataBinding.action} ${nameOf(bound)}`].filter(Boolean).join(" · ");
    const text = h("span", { class: "component" }, h("strong", {}, nameOf(component)), " ", h("span", { class: "row-note" }, words));
    const children = component.children.map((child) => item(child, chosen));
    return h(
      "li",
      {
        role: "treeitem",
        "data-id": component.id,
        "aria-label": `${nameOf(component)}, ${words}`,
        "aria-selected": String(isChosen),
        "aria-expanded": children.length ? "true" : null,
        tabindex: isChosen ? "0" : "-1",
        onclick: (event) => (event.stopPropagation(), choose(component.id)),
      },
      text,
      children.length > 0 && h("ul", { role: "group" }, ...children),
    );
  }

  function choose(id) {
    chosenOf.set(page.id, id);
    draw(true);
  }

  function keys(event) {
    const flat = all();
    const at = flat.findIndex(({ component }) => component === current().component);
    const act = event.altKey && draft.isOpen ? SHIFTS[event.key] : null;
    const target = !event.altKey && goal(flat, at, event.key);
    if (!act && !target) return;
    event.preventDefault();
    if (act) shift(flat[at], act);
    else choose(target.component.id);
  }

  /** An edit of the order: the chosen component stays chosen. */
  function shift(place, act) {
    chosenOf.set(page.id, place.component.id);
    let isDone = false;
    draft.edit(() => (isDone = act(page, place)));
    if (isDone) draw(true);
  }

  function moves(place) {
    const name = nameOf(place.component);
    return [
      small("↑", t("bpMoveUp", name), () => shift(place, SHIFTS.ArrowUp)),
      small("↓", t("bpMoveDown", name), () => shift(place, SHIFTS.ArrowDown)),
      small("←", t("bpMoveOut", name), () => shift(place, SHIFTS.ArrowLeft)),
      small("→", t("bpMoveIn", name), () => shift(place, SHIFTS.ArrowRight)),
      small("bin", t("bpRemove", name), () => remove(place)),
    ];
  }

  function add(isWithin) {
    const place = current();
    const made = newComponent(all().map(({ component }) => component));
    draft.edit(() => {
      if (isWithin) place.component.children.push(made);
      else if (place) place.siblings.splice(place.index + 1, 0, made);
      else page.components.push(made);
    });
    choose(made.id);
  }

  function remove({ component, siblings, index, parent }) {
    draft.edit(() => siblings.splice(siblings.indexOf(component), 1));
    const next = siblings[index] || siblings[index - 1] || parent;
    if (next) choose(next.id);
    else draw();
    if (!next) document.getElementById("add-component").focus();
  }
}

/** What the keys do with a component; each tells whether it was possible. */
const SHIFTS = {
  ArrowUp: (_page, { siblings, index }) => move(siblings, index, -1),
  ArrowDown: (_page, { siblings, index }) => move(siblings, index, 1),
  ArrowRight(_page, { component, siblings, index }) {
    if (!index) return false;
    siblings.splice(index, 1);
    siblings[index - 1].children.push(component);
    return true;
  },
  ArrowLeft(page, { component, siblings, index, parent }) {
    if (!parent) return false;
    siblings.splice(index, 1);
    const above = flattened(page.components).find((one) => one.component === parent);
    above.siblings.splice(above.index + 1, 0, component);
    return true;
  },
};

/** Where a key leads from the component at `at`, or null. */
function goal(flat, at, key) {
  if (key === "ArrowDown") return flat[at + 1];
  if (key === "ArrowUp") return flat[at - 1];
  if (key === "Home") return flat[0];
  if (key === "End") return flat.at(-1);
  if (key === "ArrowRight" && flat[at].component.children.length) return flat[at + 1];
  if (key === "ArrowLeft") return flat.find(({ component }) => component === flat[at].parent);
  return null;
}
