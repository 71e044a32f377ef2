// What a task that makes a blueprint has said so far, element by element, and where its result is.

import { fill, h, icon } from "../dom.js";
import { t } from "../words.js";

/** Shows the elements as they come: an outlined one is shown anew once it is described. Called for each event. */
export function saidElements(place, { task, view }) {
  if (place.dataset.of !== task.id) {
    place.dataset.of = task.id;
    fill(place, frame());
  }
  const list = place.querySelector(".said");
  [...task.elements.values()].forEach((one, at) => {
    const told = `${one.kind} ${one.name} ${one.part}`;
    const shown = list.children[at];
    if (shown?.dataset.told === told) return;
    if (shown) shown.replaceWith(item(one, told));
    else list.append(item(one, told));
  });
  place.querySelector(".none").hidden = task.elements.size > 0;
  const links = place.querySelector(".buttons");
  if (task.state === "succeeded" && view.status === task.status && !links.childElementCount) fill(links, ...linksOf(view));
}

function frame() {
  return h(
    "section",
    { class: "details", "aria-labelledby": "said-title" },
    h("div", { class: "buttons" }),
    h("h2", { id: "said-title" }, t("saidElements")),
    h("p", { class: "note none" }, t("nothingSaid")),
    h("ol", { class: "said", "aria-live": "polite", "aria-relevant": "additions" }),
  );
}

function item({ kind, name, label, part, fields, relations, components, steps }, told) {
  const counts = [
    fields != null && t("bpFieldCount", fields),
    relations > 0 && t("bpRelationCount", relations),
    components != null && t("bpComponentCount", components),
    steps != null && t("bpStepCount", steps),
  ];
  const title = label && label !== name ? `${label} (${name})` : name;
  const words = [t("saidKinds")[kind] || kind, t("saidParts")[part], ...counts].filter(Boolean).join(" · ");
  const isDescribed = part === "details";
  const glyph = h("span", { class: `glyph ${isDescribed ? "succeeded" : "planned"}` }, icon(isDescribed ? "check" : "dot"));
  return h("li", { "data-told": told }, glyph, h("strong", {}, title), h("span", { class: "row-note" }, words));
}

function linksOf(view) {
  if (!view?.blueprint_id) return [];
  const address = `#/workspace/blueprints/${view.blueprint_id}`;
  if (view.proposal_id)
    return [h("a", { class: "button primary", href: `${address}/proposals/${view.proposal_id}` }, t("openProposal"))];
  return [h("a", { class: "button primary", href: address }, t("openBlueprint"))];
}
