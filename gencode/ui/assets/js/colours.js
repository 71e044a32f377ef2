// Highlighting: highlight.js finds the scopes, and elements with text are made of them. It never makes HTML.

import { h } from "./dom.js";
import library from "../vendor/highlight/core.min.js";

const BY_NAME = {
  dockerfile: "dockerfile",
  containerfile: "dockerfile",
  makefile: "makefile",
  gemfile: "ruby",
  rakefile: "ruby",
};
const BY_END = {
  sh: "bash",
  bash: "bash",
  c: "c",
  h: "c",
  cc: "cpp",
  cpp: "cpp",
  cxx: "cpp",
  hpp: "cpp",
  cs: "csharp",
  css: "css",
  go: "go",
  ini: "ini",
  cfg: "ini",
  toml: "ini",
  env: "ini",
  java: "java",
  js: "javascript",
  jsx: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  json: "json",
  kt: "kotlin",
  kts: "kotlin",
  mk: "makefile",
  md: "markdown",
  php: "php",
  py: "python",
  pyi: "python",
  rb: "ruby",
  rs: "rust",
  scss: "scss",
  sql: "sql",
  swift: "swift",
  ts: "typescript",
  tsx: "typescript",
  xml: "xml",
  html: "xml",
  htm: "xml",
  svg: "xml",
  vue: "xml",
  yml: "yaml",
  yaml: "yaml",
};
// What a grammar of one language shows of another.
const INSIDE = { xml: ["css", "javascript"], markdown: ["xml"], php: ["xml"] };
const MOST = 200_000; // characters; what is longer stays plain, so that no frame takes long

const loading = new Map();
library.configure({ throwUnescapedHTML: false });

/** The grammar for that path, or "". */
export function languageOf(path) {
  const name = path.slice(path.lastIndexOf("/") + 1).toLowerCase();
  return (Object.hasOwn(BY_NAME, name) && BY_NAME[name]) || ending(name);
}

function ending(name) {
  const end = name.slice(name.lastIndexOf(".") + 1);
  return Object.hasOwn(BY_END, end) ? BY_END[end] : "";
}

/** Loads the grammar for that path; resolves to its name, or "" if there is none. */
export async function ready(path) {
  const name = languageOf(path);
  if (!name) return "";
  try {
    await Promise.all([name, ...(INSIDE[name] || [])].map(load));
    return name;
  } catch {
    return ""; // plain text is good enough
  }
}

/** The text as nodes: coloured if its grammar is there, and it is not too long. */
export function coloured(text, name, most = MOST) {
  if (!name || text.length > most || !library.getLanguage(name)) return [text];
  const { _emitter } = library.highlight(text, { language: name, ignoreIllegals: true });
  return _emitter.rootNode.children.map(nodeOf);
}

function nodeOf(node) {
  if (typeof node === "string") return node;
  const children = node.children.map(nodeOf);
  return h("span", { class: node.scope ? `c-${node.scope.split(".")[0]}` : null }, ...children);
}

function load(name) {
  if (!loading.has(name)) {
    const found = import(`../vendor/highlight/languages/${name}.min.js`);
    loading.set(
      name,
      found.then((grammar) => library.registerLanguage(name, grammar.default)),
    );
  }
  return loading.get(name);
}
