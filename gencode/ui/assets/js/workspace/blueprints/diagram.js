// The data models as an entity diagram. Each box is a link to its entity: arrow keys move between them, Enter opens.

import { fill, h } from "../../dom.js";
import { t } from "../../words.js";
import { layered } from "./layout.js";
import { linksOf, nameOf } from "./spec.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 208;
const LINE = 18; // height of a field
const HEAD = 30;
const MOST_FIELDS = 12; // that a box shows
const MARGIN = 24;
const WIDEST = 13; // of a letter; short texts need not be measured
const MONO = 6.7; // of a letter of a type
const ZOOMS = [0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.85, 1, 1.25, 1.6];
const READABLE = 0.45; // the smallest zoom at which names can be read

function s(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) element.setAttribute(name, value);
  element.append(...children.filter((child) => child != null && child !== false));
  return element;
}

/**
 * @param address  (id) => the address of the page that shows an entity
 * @returns        {element, update(draft, chosen)}
 */
export function diagram(address) {
  const view = h("div", { class: "diagram-view" });
  const smaller = h("button", { type: "button", class: "button quiet", onclick: () => zoom(-1) }, t("bpSmaller"));
  const larger = h("button", { type: "button", class: "button quiet", onclick: () => zoom(1) }, t("bpLarger"));
  const whole = h("button", { type: "button", class: "button quiet", onclick: () => (fit(), scale()) }, t("bpFit"));
  const hint = h("p", { class: "note", id: "diagram-hint" }, t("bpDiagramHint"));
  const element = h("section", { class: "diagram", "aria-label": t("bpDiagram") }, h("div", { class: "buttons" }, hint, smaller, larger, whole), view);
  let factor = null;
  let size = { width: 0, height: 0 };
  let places = new Map();
  let drawn = new Map(); // id -> {told, element}: a box is drawn again only if it is another one
  const lines = s("g", {});
  const boxes = s("g", {});
  const svg = s("svg", { role: "group", "aria-label": t("bpDiagram"), "aria-describedby": "diagram-hint" }, lines, boxes);
  svg.addEventListener("keydown", walk);
  view.append(svg);

  function update(draft, chosen) {
    const entities = draft.spec.dataModels;
    const heights = new Map(entities.map((entity) => [entity.id, heightOf(entity)]));
    const links = linksOf(draft.spec);
    const found = layered(entities.map(({ id }) => ({ id, height: heights.get(id) })), links, WIDTH);
    places = found.places;
    size = { width: found.width + 2 * MARGIN + 40, height: found.height + 2 * MARGIN };
    const focused = view.contains(document.activeElement) ? document.activeElement.dataset.id : null;
    const first = focused || (places.has(chosen) ? chosen : entities[0]?.id);
    const counts = countsOf(draft);
    const before = drawn;
    drawn = new Map();
    for (const entity of entities) drawn.set(entity.id, boxOf(before, entity, counts.get(entity.id) || 0, entity.id === chosen));
    svg.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${size.width} ${size.height}`);
    lines.replaceChildren(...drawnLinks(links, places, heights));
    boxes.replaceChildren(...[...drawn.values()].map((one) => one.element));
    for (const [id, { element: one }] of drawn) {
      one.setAttribute("transform", `translate(${places.get(id).x} ${places.get(id).y})`);
      one.setAttribute("tabindex", id === first ? "0" : "-1");
    }
    const isFirst = factor === null;
    if (isFirst) factor = Math.max(READABLE, Math.min(1, room().width / size.width));
    scale();
    if (isFirst) reveal(first);
    if (focused) drawn.get(focused)?.element.focus();
  }

  function boxOf(before, entity, findings, isChosen) {
    const shown = entity.fields.map(({ name, type, required, unique }) => [name, type, required, unique]);
    const told = JSON.stringify([entity.name, entity.label, shown, entity.relations.length, findings, isChosen]);
    const known = before.get(entity.id);
    return known?.told === told ? known : { told, element: box(entity, address(entity.id), findings, isChosen) };
  }

  const room = () => ({ width: view.clientWidth || 900, height: parseFloat(getComputedStyle(view).maxHeight) });

  /** All of it is seen at once. */
  function fit() {
    factor = Math.max(ZOOMS[0], Math.min(1, room().width / size.width, room().height / size.height));
  }

  /** Puts a box into the middle, and moves nothing but the diagram. */
  function reveal(id) {
    const place = places.get(id);
    if (!place) return;
    view.scrollLeft = (place.x + MARGIN + WIDTH / 2) * factor - view.clientWidth / 2;
    view.scrollTop = (place.y + MARGIN + HEAD) * factor - view.clientHeight / 2;
  }

  function zoom(by) {
    const next = by > 0 ? ZOOMS.find((one) => one > factor + 0.01) : ZOOMS.findLast((one) => one < factor - 0.01);
    factor = next || factor;
    scale();
  }

  function scale() {
    svg.setAttribute("width", Math.round(size.width * factor));
    svg.setAttribute("height", Math.round(size.height * factor));
  }

  /** The nearest box in the direction of the arrow. */
  function walk(event) {
    const direction = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    const all = [...view.querySelectorAll("a")];
    const current = event.target.closest("a");
    if (event.key !== "Home" && event.key !== "End" && !direction) return;
    event.preventDefault();
    const next = direction ? nearest(current.dataset.id, direction) : all.at(event.key === "Home" ? 0 : -1).dataset.id;
    if (!next) return;
    for (const one of all) one.setAttribute("tabindex", one.dataset.id === next ? "0" : "-1");
    const target = all.find((one) => one.dataset.id === next);
    target.focus();
    target.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function nearest(id, [dx, dy]) {
    const here = places.get(id);
    let best = null;
    for (const [other, { x, y }] of places) {
      const [along, aside] = dx ? [(x - here.x) * dx, Math.abs(y - here.y)] : [(y - here.y) * dy, Math.abs(x - here.x)];
      const distance = along + 2 * aside;
      if (other !== id && along > 0 && (!best || distance < best.distance)) best = { other, distance };
    }
    return best?.other;
  }

  return { element, update };
}

const heightOf = ({ fields }) => HEAD + LINE * Math.min(fields.length, MOST_FIELDS) + (fields.length > MOST_FIELDS ? LINE : 0) + 8;

/** How many findings each data model has, with those of its parts. */
function countsOf({ findings }) {
  const counts = new Map();
  for (const { element: path } of findings) {
    const [list, id] = path.split("/");
    if (list === "dataModels") counts.set(id, (counts.get(id) || 0) + 1);
  }
  return counts;
}

function box(entity, href, findings, isChosen) {
  const left = entity.fields.length - MOST_FIELDS;
  const title = entity.label && entity.label !== entity.name ? `${nameOf(entity)} · ${entity.name}` : entity.name;
  const mark = findings > 0 && `⚠ ${findings}`;
  return s(
    "a",
    {
      href,
      "data-id": entity.id,
      class: `entity${isChosen ? " chosen" : ""}${findings ? " faulty" : ""}`,
      "aria-current": isChosen ? "true" : null,
      "aria-label": t("bpEntityLabel", nameOf(entity), entity.fields.length, entity.relations.length, findings),
    },
    s("rect", { class: "frame", width: WIDTH, height: heightOf(entity), rx: 6 }),
    s("text", { class: "title", x: 10, y: 20 }, cut(title, WIDTH - 20 - (mark ? widthOf(mark) + 8 : 0), 650)),
    mark && s("text", { class: "mark", x: WIDTH - 10, y: 20, "text-anchor": "end" }, mark),
    s("line", { x1: 0, y1: HEAD, x2: WIDTH, y2: HEAD }),
    ...entity.fields.slice(0, MOST_FIELDS).flatMap((field, at) => row(field, HEAD + LINE * at + 16)),
    left > 0 && s("text", { class: "type", x: 10, y: HEAD + LINE * MOST_FIELDS + 16 }, t("bpMoreFields", left)),
  );
}

function row(field, y) {
  const type = field.unique ? `${field.type} U` : field.type;
  return [
    s("text", { class: field.required ? "field required" : "field", x: 10, y }, cut(field.name, WIDTH - 28 - MONO * type.length, 600)),
    s("text", { class: "type", x: WIDTH - 10, y, "text-anchor": "end" }, type),
  ];
}

const rulers = new Map(); // by weight: the width of a text in that font, which takes long to set

function widthOf(text, weight = 400) {
  if (!rulers.has(weight)) {
    const ruler = document.createElement("canvas").getContext("2d");
    ruler.font = `${weight} 12px ${getComputedStyle(document.body).fontFamily}`;
    rulers.set(weight, ruler);
  }
  return rulers.get(weight).measureText(text).width;
}

/** The text, or as much of it as is not wider than `room`. */
function cut(text, room, weight) {
  if (text.length * WIDEST <= room || widthOf(text, weight) <= room) return text;
  const signs = [...text];
  let [fits, not] = [0, signs.length];
  while (not - fits > 1) {
    const middle = (fits + not) >> 1;
    if (widthOf(`${signs.slice(0, middle).join("")}…`, weight) <= room) fits = middle;
    else not = middle;
  }
  return `${signs.slice(0, fits).join("")}…`;
}

/** Lines between boxes. The ends at one side of a box are in the order of what they lead to, so that few cross. */
function drawnLinks(links, places, heights) {
  const sides = new Map(); // "id side" -> ends there
  const drawn = links.map(({ from, to, ends, relation }) => {
    const [a, b] = [places.get(from), places.get(to)];
    const isLoop = from === to;
    const side = a.column > b.column ? ["left", "right"] : a.column < b.column ? ["right", "left"] : ["right", "right"];
    const make = (id, at, other) => {
      const end = { id, side: side[at], toward: other.y + heights.get(at ? from : to) / 2 + at * (isLoop ? 1 : 0) };
      const key = `${id} ${end.side}`;
      sides.set(key, [...(sides.get(key) || []), end]);
      return end;
    };
    return { ends: [make(from, 0, b), make(to, 1, a)], words: ends, relation };
  });
  for (const ends of sides.values()) {
    ends.sort((one, other) => one.toward - other.toward);
    ends.forEach((end, index) => {
      const { x, y } = places.get(end.id);
      end.x = end.side === "right" ? x + WIDTH : x;
      end.y = y + ((index + 1) * heights.get(end.id)) / (ends.length + 1);
    });
  }
  return drawn.map(line);
}

function line({ ends: [a, b], words, relation }) {
  const out = (end) => (end.side === "right" ? 1 : -1);
  const reach = a.side === b.side ? 46 : Math.max(46, Math.abs(a.x - b.x) / 2);
  const path = `M${a.x} ${a.y} C${a.x + out(a) * reach} ${a.y} ${b.x + out(b) * reach} ${b.y} ${b.x} ${b.y}`;
  const label = (end, text) =>
    s("text", { class: "ends", x: end.x + out(end) * 6, y: end.y - 4, "text-anchor": out(end) > 0 ? "start" : "end" }, text);
  return s(
    "g",
    { class: "relation", "aria-hidden": "true" },
    s("title", {}, nameOf(relation)),
    s("path", { d: path }),
    label(a, words[0]),
    label(b, words[1]),
  );
}
