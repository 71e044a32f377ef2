// A document of a knowledge base at the place that an answer quotes.

import { get } from "../api.js";
import { fill, h } from "../dom.js";
import { t } from "../words.js";
import { heading, said } from "./resource.js";

const PAGE = 100;
const AROUND = 2; // passages before and after the quoted ones

export const sourceAddress = ({ knowledge_base_id: base, document_id: id, start, end }) =>
  `#/workspace/knowledge/${base}/${id}/${start ?? 0}-${end ?? 0}`;

/** `range`: the first character and the one after the last, such as `120-180`. */
export async function sourceView(box, base, id, range = "0-0") {
  const path = `knowledge/bases/${encodeURIComponent(base)}`;
  const back = h("a", { class: "button quiet", href: `#/workspace/knowledge/${encodeURIComponent(base)}` }, t("knowledge"));
  const [start, end] = range.split("-").map(Number);
  try {
    const [row, chunks] = await Promise.all([get(`${path}/documents/${encodeURIComponent(id)}`), passages(`${path}/documents/${encodeURIComponent(id)}/chunks`, start)]);
    const shown = around(chunks, start, end);
    fill(box, heading(row.name, back), h("p", { class: "note" }, t("quotedPlace")), h("ol", { class: "chunks" }, ...shown.map((one) => passage(one, start, end))));
    box.querySelector("mark")?.scrollIntoView({ block: "center" });
  } catch (error) {
    fill(box, heading(t("knowledge"), back), h("p", { class: "note" }, said(error)));
  }
}

/** The passages up to one page behind the one with the character at `start`. */
async function passages(path, start) {
  const found = [];
  for (let total = 1; found.length < total; ) {
    const page = await get(`${path}?first=${found.length}&limit=${PAGE}`);
    found.push(...page.items);
    total = page.items.length ? page.total : 0;
    if (found.at(-1)?.start > start) break;
  }
  return found;
}

function around(chunks, start, end) {
  const first = chunks.findIndex((one) => one.end > start);
  const last = chunks.findLastIndex((one) => one.start < Math.max(end, start + 1));
  return chunks.slice(Math.max(0, first - AROUND), last + AROUND + 1);
}

/** Offsets count characters, as the service does. */
function passage({ page, text, start: from }, start, end) {
  const characters = Array.from(text);
  const [begin, stop] = [start - from, end - from].map((at) => Math.min(Math.max(0, at), characters.length));
  const part = (...range) => characters.slice(...range).join("");
  const isQuoted = stop > begin;
  const content = isQuoted ? [part(0, begin), h("mark", {}, part(begin, stop)), part(stop)] : [text];
  return h("li", { class: "card" }, page && h("small", {}, t("pageNumber", page)), h("pre", {}, ...content));
}
