// The settings of a conversation: what it is called, who answers, and what the answers may quote.

import { request } from "../api.js";
import { mark } from "../controls.js";
import { announce, h } from "../dom.js";
import { t } from "../words.js";
import { controls, values } from "./form.js";
import { keepEdits } from "./kept_form.js";
import { refuse } from "./resource.js";

const FIELDS = [
  { name: "title", label: "conversationTitle" },
  { name: "knowledge_base_id", label: "knowledgeBase", hint: "knowledgeBaseHint", type: "row", of: "knowledge/bases", optional: true, none: "noneOfThem" },
  { name: "model", label: "model", hint: "answerModelHint", type: "model", optional: true },
  { name: "system_prompt", label: "systemPrompt", hint: "systemPromptHint", type: "long", rows: 3, optional: true },
  { name: "prompt_template_id", label: "promptTemplate", hint: "promptTemplateHint", type: "row", of: "prompts", optional: true, none: "noneOfThem" },
];

/**
 * Only what differs is sent, so that what another tab has changed stays.
 * @param path   of the conversation
 * @param row    the conversation
 * @param saved  is called with the changed one
 */
export function conversationSettings(path, row, saved) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const button = h("button", { class: "button" }, t("save"));
  const form = h("form", { class: "form", novalidate: true }, ...controls(FIELDS, row), h("div", { class: "send" }, button, trouble));
  const kept = keepEdits(form, path, null, () => saved(row));
  if (kept.notice) form.prepend(kept.notice);
  const isOpen = !row.message_count || Boolean(kept.notice);
  const element = h("details", { open: isOpen }, h("summary", {}, t("conversationSettings")), form);
  form.addEventListener("input", (event) => mark(form, event.target.name, ""));
  form.onsubmit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    try {
      const changed = await (await request(path, { method: "PATCH", body: values(form, FIELDS, row) })).json();
      kept.forget();
      announce(t("saved"));
      saved(changed);
    } catch (error) {
      refuse(form, trouble, error);
    }
  };
  return element;
}
