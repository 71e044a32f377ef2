// Sections of what is read and asked: conversations, requirements, knowledge bases, templates of prompts.

import { number, t } from "../../words.js";
import { chatView } from "../chat.js";
import { knowledgeDetail } from "../knowledge.js";
import { documentDetail } from "../requirements.js";
import { sourceView } from "../source.js";
import { NAME } from "./fields.js";

export const DOCUMENTS = [
  { name: "chat", title: "chat", show: chatView },
  {
    name: "requirements",
    title: "requirementDocuments",
    lead: "requirementDocumentsLead",
    path: "requirements",
    upload: "requirements/upload",
    note: (row) =>
      [
        t("documentStates")[row.status],
        row.original_filename,
        row.requirement_count != null && t("requirementCount", number(row.requirement_count)),
        row.error_message,
      ]
        .filter(Boolean)
        .join(" · "),
    fields: [
      NAME,
      { name: "original_content", label: "content", type: "long", rows: 14, required: true, onlyNew: true },
    ],
    detail: documentDetail,
    actions: [{ label: "analyse", path: "pipelines/requirement-analysis", body: (row) => ({ document_id: row.id }) }],
  },
  {
    name: "knowledge",
    title: "knowledge",
    lead: "knowledgeLead",
    path: "knowledge/bases",
    note: (row) => [t("documentCount", number(row.document_count)), row.is_public && t("isPublic")].filter(Boolean).join(" · "),
    fields: [
      NAME,
      { name: "description", label: "description", type: "long", rows: 2, optional: true },
      { name: "is_public", label: "shareIt", hint: "shareItHint", type: "tick" },
    ],
    detail: knowledgeDetail,
    part: sourceView,
  },
  {
    name: "templates",
    title: "promptTemplates",
    lead: "promptTemplatesLead",
    path: "prompts",
    note: (row) =>
      [row.identifier, row.is_public && t("isPublic"), row.variables.length && row.variables.join(", ")]
        .filter(Boolean)
        .join(" · "),
    fields: [
      NAME,
      { name: "identifier", label: "identifier", hint: "identifierHint", required: true },
      {
        name: "category",
        label: "category",
        type: "choice",
        options: ["general", "requirement", "code_review", "test_case"],
        names: "categories",
        initial: "general",
      },
      { name: "content", label: "content", hint: "contentHint", type: "long", required: true },
      { name: "tags", label: "tags", hint: "tagsHint", type: "tags", initial: [] },
      { name: "is_public", label: "shareIt", hint: "shareItHint", type: "tick" },
      { name: "description", label: "description", type: "long", rows: 2, optional: true, more: true },
    ],
  },
];
