// Markdown as elements: headings, paragraphs, lists, quotes, code, tables, links. Markup in the text stays text, and
// images are links, so that nothing is loaded from elsewhere.

import { h } from "./dom.js";

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(\S.*)$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}>\s?/;
const DELIMITER = /^\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?$/;
const MOST_DEPTH = 8; // lists and quotes inside of each other; what is deeper stays text
const MOST_LINE = 4000; // characters of a line that is looked at; longer ones are plain paragraphs
export const MOST_MARKDOWN = 200_000; // characters of a text, so that no frame takes long

/** The elements of the text. `code(text, name)` gives the nodes of a block of code in the language of that name. */
export function markdown(text, code = (source) => [source]) {
  return blocks(text.replace(/\r\n?/g, "\n").split("\n"), code, 0);
}

function blocks(lines, code, depth) {
  const made = [];
  for (let at = 0; at < lines.length; ) {
    const [element, next] = blockAt(lines, at, code, depth);
    if (element) made.push(element);
    at = next;
  }
  return made;
}

/** The block that begins at this line, and the line after it. */
function blockAt(lines, at, code, depth) {
  const line = lines[at];
  if (!line.trim()) return [null, at + 1];
  if (line.length > MOST_LINE) return [h("p", {}, line), at + 1];
  if (FENCE.test(line)) return fenced(lines, at, code);
  const heading = HEADING.exec(line);
  if (heading) return [h(`h${Math.min(6, heading[1].length + 2)}`, {}, ...inline(withoutHashes(heading[2]))), at + 1];
  if (RULE.test(line)) return [h("hr"), at + 1];
  if (depth < MOST_DEPTH && QUOTE.test(line)) return quote(lines, at, code, depth);
  if (depth < MOST_DEPTH && ITEM.test(line)) return list(lines, at, code, depth);
  if (line.includes("|") && isDelimiter(lines[at + 1])) return table(lines, at);
  return paragraph(lines, at, depth);
}

const withoutHashes = (text) => text.trimEnd().replace(/ #+$/, "").trimEnd();
const isDelimiter = (line) => line !== undefined && line.length <= MOST_LINE && DELIMITER.test(line.trim());

function fenced(lines, at, code) {
  const [, mark, name] = FENCE.exec(lines[at]);
  const end = (line) => line.trim().startsWith(mark) && !line.trim().slice(mark.length).replaceAll(mark[0], "");
  const close = lines.findIndex((line, index) => index > at && end(line));
  const until = close < 0 ? lines.length : close;
  const source = lines.slice(at + 1, until).join("\n");
  return [h("pre", { class: "quoted", tabindex: "0" }, h("code", {}, ...code(source, name))), until + 1];
}

function quote(lines, at, code, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const inner = lines.slice(at, end).map((line) => line.replace(QUOTE, ""));
  return [h("blockquote", {}, ...blocks(inner, code, depth + 1)), end];
}

/** Items of one kind; lines that are indented, and those that go on, belong to the item before. */
function list(lines, at, code, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const isOrdered = /\d/.test(mark);
  const items = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const found = ITEM.exec(lines[end]);
    if (found && found[1].length <= indent.length) {
      if (/\d/.test(found[2]) !== isOrdered) break;
      items.push({ width: lines[end].length - found[3].length, lines: [found[3]] });
    } else if (!lines[end].trim() && !goesOn(lines[end + 1], indent)) break;
    else if (isOther(lines[end]) && !/^\s/.test(lines[end])) break;
    else items.at(-1).lines.push(lines[end].slice(0, items.at(-1).width).trimStart() + lines[end].slice(items.at(-1).width));
  }
  const start = isOrdered ? Number.parseInt(mark, 10) : 1;
  const attributes = isOrdered && start !== 1 ? { start } : {};
  return [h(isOrdered ? "ol" : "ul", attributes, ...items.map((item) => itemOf(item, code, depth))), end];
}

const isOther = (line) => HEADING.test(line) || FENCE.test(line) || RULE.test(line);
const goesOn = (line, indent) =>
  line !== undefined && (line.startsWith(`${indent} `) || line.startsWith("\t") || ITEM.test(line));

/** An item of one paragraph is not spaced like one of several blocks. */
function itemOf({ lines }, code, depth) {
  const made = blocks(lines, code, depth + 1);
  const first = made[0]?.tagName === "P" ? [...made.shift().childNodes] : [];
  return h("li", {}, ...first, ...made);
}

const cells = (line) => line.trim().replace(/^\|/, "").replace(/(?<!\\)\|$/, "").split(/(?<!\\)\|/);

function table(lines, at) {
  let end = at + 2;
  while (end < lines.length && lines[end].includes("|")) end += 1;
  const row = (line, tag) =>
    h("tr", {}, ...cells(line).map((cell) => h(tag, {}, ...inline(cell.trim().replaceAll("\\|", "|")))));
  const body = lines.slice(at + 2, end).map((line) => row(line, "td"));
  return [
    h("div", { class: "scroll", tabindex: "0" }, h("table", {}, h("thead", {}, row(lines[at], "th")), h("tbody", {}, ...body))),
    end,
  ];
}

function paragraph(lines, at, depth) {
  let end = at + 1;
  const isNext = (line) =>
    line.trim() && line.length <= MOST_LINE && !isOther(line) && (depth >= MOST_DEPTH || !(QUOTE.test(line) || ITEM.test(line)));
  while (end < lines.length && isNext(lines[end])) end += 1;
  return [h("p", {}, ...inline(lines.slice(at, end).map((line) => line.trim()).join("\n"))), end];
}

const INLINE = new RegExp(
  [
    /(?<!`)(`{1,3})(?!`)([^`\n]{1,1000})(?<!`)\1(?!`)/,
    /!?\[([^\]\n]{0,500})\]\(<?([^\s()<>]{1,1000})>?(?: [^)\n]{0,300})?\)/,
    /<(https?:\/\/[^\s<>]{1,1000})>/,
    /(https?:\/\/[^\s<>()]{1,1000}[^\s<>().,;:!?'"*_`])/,
    /(\*\*|__)(?=\S)([^*_\n]{1,500})\7/,
    /(?<![\w*])([*_])(?=\S)([^*_\n]{1,500})\9(?![\w*])/,
    /\\([\\`*_{}[\]()#+.!|<>-])/,
  ]
    .map((part) => part.source)
    .join("|"),
  "g",
);

/** Text with code, links and emphasis. */
function inline(text) {
  const made = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > at) made.push(text.slice(at, found.index));
    made.push(spanOf(found));
    at = found.index + found[0].length;
  }
  if (at < text.length) made.push(text.slice(at));
  return made;
}

function spanOf([whole, , source, label, target, bracketed, bare, , strong, , emphasis, plain]) {
  if (source !== undefined) return h("code", {}, source);
  if (target !== undefined) return link(target, label || target, whole);
  if (bracketed || bare) return link(bracketed || bare, bracketed || bare, whole);
  if (strong !== undefined) return h("strong", {}, ...inline(strong));
  if (emphasis !== undefined) return h("em", {}, ...inline(emphasis));
  return plain;
}

/** A link to a page elsewhere; what leads into the repository, or has another scheme, stays text. */
function link(target, label) {
  if (!/^https?:\/\//i.test(target)) return label;
  return h("a", { href: target, rel: "noopener noreferrer nofollow", target: "_blank" }, ...labelOf(label));
}

const labelOf = (label) => (/^https?:/i.test(label) ? [label] : inline(label));
