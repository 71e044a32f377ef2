// A list of elements of one kind beside the editor of the chosen one.

import { h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { sure } from "../resource.js";
import { filteredList } from "./filtered_list.js";
import { slot, small } from "./inputs.js";
import { move, nameOf } from "./spec.js";

/**
 * @param draft   the blueprint
 * @param list    the name of its elements in the document, such as `pages`
 * @param make    (siblings) => a new element
 * @param note    (element) => what the list says besides its name
 * @param texts   {title, none, add}: names of texts
 * @param chosen  the id of the chosen element
 * @param editor  (element, path) => the controls of its editor
 * @param links   {tab, address, go}
 */
export function elementList(draft, { list, make, note, texts, chosen, editor, links: { tab, address, go } }) {
  const elements = () => draft.spec[list];
  const rows = filteredList("ol", t(texts.title));
  const current = elements().find(({ id }) => id === chosen);
  const create = () => {
    const made = make(elements());
    draft.edit(() => elements().push(made));
    go(tab, made.id);
  };
  const element = h(
    "section",
    { class: "stack", "aria-labelledby": `${list}-title` },
    h(
      "div",
      { class: "head-line" },
      h("h2", { id: `${list}-title` }, t(texts.title)),
      h("span", { class: "spring" }),
      draft.isOpen && h("button", { type: "button", class: "button", id: `add-${list}`, onclick: create }, icon("plus"), t(texts.add)),
    ),
    elements().length > 0 ? rows.element : h("p", { class: "note" }, t(texts.none)),
    current && edited(),
    chosen && !current && h("p", { class: "note" }, t("bpElementGone")),
  );

  function update() {
    rows.update(elements().map(item));
  }

  function item(one, at) {
    const found = draft.below(`${list}/${one.id}`).length;
    const words = [note(one), found > 0 && t("bpFindingCount", found)].filter(Boolean).join(" · ");
    const shift = (by) => draft.edit(() => move(elements(), at, by), { focus: `${list}-at-${at + by}` });
    const keys = (event) => {
      const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!event.altKey || !by || !draft.isOpen) return;
      event.preventDefault();
      if (elements()[at + by]) shift(by);
    };
    return h(
      "li",
      {},
      h("a", { id: `${list}-at-${at}`, href: address(tab, one.id), "aria-current": one === current ? "true" : null, onkeydown: keys }, nameOf(one)),
      h("span", { class: "row-note" }, words),
      draft.isOpen && small("↑", t("bpMoveUp", nameOf(one)), () => shift(-1), { disabled: at === 0 }),
      draft.isOpen && small("↓", t("bpMoveDown", nameOf(one)), () => shift(1), { disabled: at === elements().length - 1 }),
    );
  }

  function edited() {
    const path = `${list}/${current.id}`;
    const remove = async () => {
      if (!(await sure(t("removeSure", nameOf(current)), t("removeYes")))) return;
      draft.edit(() => elements().splice(elements().indexOf(current), 1));
      go(tab);
    };
    return h(
      "section",
      { class: "editor", "aria-labelledby": "element-title" },
      h(
        "div",
        { class: "head-line" },
        h("h3", { id: "element-title", tabindex: "-1" }, nameOf(current)),
        h("span", { class: "spring" }),
        draft.isOpen && h("button", { type: "button", class: "button danger", onclick: remove }, t("remove")),
      ),
      slot(path),
      ...editor(current, path),
    );
  }
  return { element, update };
}
