// What a requirement document has besides its form: its text, and its requirements as a document.

import { get } from "../api.js";
import { h } from "../dom.js";
import { markdown } from "../markdown.js";
import { language, t } from "../words.js";

const POLL = 1500; // milliseconds between two looks at a document that is being read

export function documentDetail(row) {
  const box = h("div", { class: "details" });
  show(box, row);
  return box;
}

function show(box, row) {
  const isBusy = ["pending", "processing"].includes(row.status);
  box.replaceChildren(
    ...[
      isBusy && h("p", { class: "note", role: "status" }, t("documentStates")[row.status]),
      row.error_message && h("p", { class: "wrong" }, h("code", {}, row.error_code), " ", row.error_message),
      ...row.warnings.map((one) => h("p", { class: "note" }, language() === "zh" ? one.message_zh : one.message)),
      row.optimized_content &&
        h("section", {}, h("h2", {}, t("requirementsText")), h("div", { class: "document" }, ...markdown(row.optimized_content))),
      row.original_content && text(t("originalText"), row.original_content),
    ].filter(Boolean),
  );
  if (isBusy) setTimeout(() => box.isConnected && look(box, row.id), POLL);
}

async function look(box, id) {
  show(box, await get(`requirements/${id}`));
}

const text = (title, content) => h("section", {}, h("h2", {}, title), h("pre", { class: "quoted" }, content));
