// The tab of the pages: their order, and of each its components as an ordered tree with their bindings.

import { h } from "../../dom.js";
import { t } from "../../words.js";
import { componentTree } from "./component_tree.js";
import { elementList } from "./element_list.js";
import { field, idOf, longOf, names, textOf } from "./inputs.js";
import { flattened, newPage } from "./spec.js";

export const pagesTab = (draft, chosen, { address, go }) =>
  elementList(draft, {
    list: "pages",
    make: newPage,
    note: (page) => [page.path, t("bpComponentCount", flattened(page.components).length)].join(" · "),
    texts: { title: "bpPages", none: "bpNoPages", add: "bpAddPage" },
    chosen,
    editor: (page, path) => editor(draft, page, path),
    links: { tab: "pages", address, go },
  });

function editor(draft, page, path) {
  const id = (key) => idOf("page", key);
  return [
    h(
      "div",
      { class: "grid" },
      ...names(draft, page, id),
      field(t("bpPath"), textOf(draft, page, "path", id("path")), t("bpPathHint")),
      field(t("bpLayout"), textOf(draft, page, "layout", id("layout"))),
      field(t("description"), longOf(draft, page, "description", id("description"))),
    ),
    componentTree(draft, page, path),
  ];
}
