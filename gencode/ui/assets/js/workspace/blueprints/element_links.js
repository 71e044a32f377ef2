// Where the workbench shows an element that a path such as `dataModels/Order/fields/total` names.

import { h } from "../../dom.js";
import { t } from "../../words.js";
import { find, nameOf } from "./spec.js";

const TABS = { dataModels: "models", pages: "pages", apis: "apis", businessFlows: "flows" };

/** The tab of an element, or of a list of elements. */
export const tabOf = (path) => TABS[path.split("/")[0]] || "application";

/** A link to the element, by its names. */
export function elementLink(spec, path, address) {
  const parts = path.split("/");
  if (parts.length < 2) return h("a", { href: address("application") }, t("bpTabs").application);
  return h("a", { href: address(tabOf(path), parts[1]) }, namesOf(spec, parts).join(" / "));
}

function namesOf(spec, parts) {
  const names = [];
  for (let at = 2; at <= parts.length; at += 2) {
    const found = find(spec, parts.slice(0, at).join("/"));
    names.push(found ? nameOf(found.siblings[found.index]) : parts[at - 1]);
  }
  return names;
}
