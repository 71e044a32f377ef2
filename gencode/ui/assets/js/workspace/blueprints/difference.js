// What differs between two versions of a blueprint: by tab, each with a link to its element and what its properties were.

import { h } from "../../dom.js";
import { t } from "../../words.js";
import { elementLink, tabOf } from "./element_links.js";
import { find } from "./spec.js";

/** The elements that show the operations of a comparison. `spec`: the document that the links lead into. */
export function differenceOf(spec, operations, address) {
  if (!operations.length) return [h("p", { class: "note" }, t("bpNoChanges"))];
  const groups = new Map();
  for (const one of operations) groups.set(tabOf(one.element), [...(groups.get(tabOf(one.element)) || []), one]);
  return [...groups].flatMap(([tab, found]) => [
    h("h3", {}, t("bpTabs")[tab]),
    h("ul", { class: "changes" }, ...found.map((one) => item(spec, one, address))),
  ]);
}

function item(spec, { type, element, text, changes = {} }, address) {
  const isThere = element === "" || (element.includes("/") && find(spec, element));
  if (!isThere) return h("li", { class: type }, text);
  const link = elementLink(spec, element, address);
  const properties = Object.entries(changes);
  if (!properties.length) {
    link.textContent = text;
    return h("li", { class: type }, link);
  }
  return h("li", { class: type }, link, h("ul", { class: "properties" }, ...properties.map(property)));
}

const property = ([name, { before, after }]) =>
  h("li", {}, t("bpProperties")[name] || name, ": ", h("del", {}, JSON.stringify(before)), " → ", h("ins", {}, JSON.stringify(after)));
