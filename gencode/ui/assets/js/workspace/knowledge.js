// What a knowledge base has besides its form: its documents, their chunks, and a search test.

import { get, post, request } from "../api.js";
import { fill, h, icon } from "../dom.js";
import { number, size, t } from "../words.js";
import { refuse, said, sure } from "./resource.js";
import { uploadField } from "./upload.js";

const PAGE = 100;
const POLL = 1500; // milliseconds between two looks at documents that are being indexed

/** The detail of a base, below its form. */
export function knowledgeDetail(base, may) {
  const path = `knowledge/bases/${base.id}`;
  return h("div", { class: "details" }, documents(path, may.change), search(path));
}

/** `isOpen`: whether one may change them. */
function documents(path, isOpen) {
  const rows = h("ul", { class: "cards" });
  const words = h("p", { class: "note" }, t("loading"));
  const section = h(
    "section",
    { "aria-labelledby": "documents-title" },
    h("h2", { id: "documents-title" }, t("knowledgeDocuments")),
    isOpen && uploadField(`${path}/documents/upload`, { several: true, label: t("uploadFiles"), done: () => load() }),
    rows,
    words,
  );
  async function load() {
    try {
      const { items } = await get(`${path}/documents?limit=${PAGE}`);
      fill(rows, ...items.map((row) => item(path, row, isOpen, load)));
      words.hidden = items.length > 0;
      words.textContent = t("noRows");
      const isBusy = items.some((row) => ["pending", "processing"].includes(row.processing_status));
      if (isBusy) setTimeout(() => section.isConnected && load(), POLL);
    } catch (error) {
      words.hidden = false;
      words.textContent = said(error);
    }
  }
  load();
  return section;
}

function item(path, row, isOpen, load) {
  const isDone = row.processing_status === "completed";
  const state = isDone ? t("chunkCount", number(row.chunk_count)) : t("processing")[row.processing_status];
  const notes = [state, size(row.size), row.pages > 0 && t("pageCount", number(row.pages))].filter(Boolean);
  const trouble = h("div", { class: "trouble", role: "alert" });
  const act = async (method, more = "") => {
    try {
      await request(`${path}/documents/${row.id}${more}`, { method });
      load();
    } catch (error) {
      refuse(null, trouble, error);
    }
  };
  const remove = async () => (await sure(t("removeSure", row.name), t("removeYes"))) && act("DELETE");
  return h(
    "li",
    { class: "card" },
    h("h3", {}, row.name),
    h("p", { class: "note" }, notes.join(" · ")),
    row.error_message && h("p", { class: "wrong" }, h("code", {}, row.error_code), " ", row.error_message),
    h(
      "div",
      { class: "buttons" },
      isDone && chunksButton(path, row),
      isOpen &&
        row.processing_status === "failed" &&
        h("button", { class: "button", onclick: () => act("POST", "/index") }, icon("again"), t("retry")),
      isOpen && h("button", { class: "button quiet", "aria-label": t("bpRemove", row.name), onclick: remove }, icon("bin"), t("remove")),
    ),
    trouble,
  );
}

function chunksButton(path, row) {
  const list = h("ol", { class: "chunks" });
  const details = h("details", { class: "chunks-box" }, h("summary", {}, t("showChunks")), list);
  details.addEventListener("toggle", async () => {
    if (!details.open || list.children.length) return;
    const { items } = await get(`${path}/documents/${row.id}/chunks?limit=${PAGE}`);
    fill(list, ...items.map((chunk) => h("li", {}, chunk.page && h("small", {}, t("pageNumber", chunk.page)), h("pre", {}, chunk.text))));
  });
  return details;
}

function search(path) {
  const field = h("input", { id: "question", type: "search", required: true, autocomplete: "off" });
  const results = h("ol", { class: "found", "aria-live": "polite" });
  const trouble = h("div", { class: "trouble", role: "alert" });
  const ask = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    try {
      const found = await post(`${path}/search`, { query: field.value, limit: 10 });
      fill(results, ...found.sources.map(source));
      if (!found.sources.length) trouble.replaceChildren(h("p", {}, t("nothingFound")));
      if (!found.is_complete) trouble.append(h("p", {}, t("notAllIndexed", number(found.missing_count))));
    } catch (error) {
      refuse(null, trouble, error);
    }
  };
  return h(
    "section",
    { "aria-labelledby": "search-title" },
    h("h2", { id: "search-title" }, t("searchTest")),
    h(
      "form",
      { class: "search", onsubmit: ask },
      h("label", { for: "question" }, t("question")),
      h("div", { class: "search-line" }, field, h("button", { class: "button primary" }, t("search"))),
    ),
    trouble,
    results,
  );
}

function source(one) {
  return h(
    "li",
    { class: "card" },
    h("h3", {}, `${one.document_name}${one.page ? t("onPage", one.page) : ""}`),
    h("p", { class: "passage" }, ...marked(one)),
  );
}

/** The text of a source, in which the terms of the question are marked. */
function marked({ text, highlights }) {
  const parts = [];
  const characters = Array.from(text); // offsets count characters, as the service does
  let at = 0;
  for (const { start, end } of highlights) {
    if (start < at) continue;
    parts.push(characters.slice(at, start).join(""), h("mark", {}, characters.slice(start, end).join("")));
    at = end;
  }
  return [...parts, characters.slice(at).join("")];
}
