// Text as numbered lines. The numbers are made by the style sheet, so that they are not copied with the text.

import { h, icon } from "./dom.js";

const MOST = 20_000; // lines that become elements; longer files have no numbers

/** The nodes (texts and elements) as one element for each line. `notes`: line -> texts that stand below it; those
 * of line 0 stand above the text. */
export function numbered(nodes, notes = new Map(), most = MOST) {
  const lines = linesOf(nodes, most);
  if (!lines) return nodes;
  if (lines.length > 1 && !lines.at(-1).length) lines.pop();
  const above = (notes.get(0) || []).map(noteOf);
  return [...above, ...lines.flatMap((parts, index) => lineOf(parts, notes.get(index + 1) || []))];
}

function lineOf(parts, notes) {
  return [h("span", { class: notes.length ? "code-line faulty" : "code-line" }, ...parts), ...notes.map(noteOf)];
}

const noteOf = (text) => h("span", { class: "line-note", role: "note" }, icon("warn"), h("span", {}, text));

/** The nodes of each line, newline included; null if there are more than `most` lines. */
function linesOf(nodes, most) {
  const lines = [[]];
  for (const node of nodes) {
    const parts = partsOf(node, most);
    if (!parts || lines.length + parts.length > most) return null;
    parts.forEach((part, index) => {
      if (index) lines.push([]);
      if (part !== "") lines.at(-1).push(part);
    });
  }
  return lines;
}

/** A node, divided after each newline. */
function partsOf(node, most) {
  if (typeof node === "string") return node.split(/(?<=\n)/).concat(node.endsWith("\n") ? [""] : []);
  const children = [...node.childNodes].map((child) => (child.nodeType === Node.TEXT_NODE ? child.data : child));
  const lines = linesOf(children, most);
  return lines?.map((parts) => {
    const copy = node.cloneNode(false);
    copy.append(...parts);
    return parts.length ? copy : "";
  });
}
