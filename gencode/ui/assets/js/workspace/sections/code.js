// Sections of code that is there: repositories, diffs, reviews, tests.

import { t } from "../../words.js";
import { diffDetail } from "../diff.js";
import { NAME } from "./fields.js";

export const CODE = [
  {
    name: "repositories",
    title: "repositories",
    lead: "repositoriesLead",
    path: "git/repositories",
    note: (row) =>
      [row.repository_url, t("syncStates")[row.sync_status], row.sync_error].filter(Boolean).join(" · "),
    fields: [
      NAME,
      { name: "repository_url", label: "repositoryUrl", hint: "repositoryUrlHint", required: true },
      { name: "branch", label: "branch", hint: "branchHint", optional: true },
      { name: "credential_id", label: "credentialId", hint: "credentialIdHint", type: "row", of: "git/credentials", optional: true },
      { name: "is_active", label: "active", type: "tick", initial: true, more: true },
    ],
    actions: [{ name: "sync", label: "sync" }],
  },
  {
    name: "diffs",
    title: "codeDiffs",
    lead: "codeDiffsLead",
    path: "code-diffs",
    note: (row) => [row.source_ref && `${row.target_ref} ← ${row.source_ref}`, t("diffStates")[row.status]].filter(Boolean).join(" · "),
    fields: [
      NAME,
      { name: "repository_id", label: "repositoryId", type: "row", of: "git/repositories", required: true, once: true },
      {
        name: "compare_type",
        label: "compareType",
        type: "choice",
        options: ["branch", "commit"],
        names: "compareTypes",
        initial: "branch",
        onlyNew: true,
      },
      { name: "source_ref", label: "sourceRef", hint: "refHint", type: "ref", of: "repository_id", required: true, once: true },
      { name: "target_ref", label: "targetRef", hint: "refHint", type: "ref", of: "repository_id", required: true, once: true },
    ],
    detail: diffDetail,
  },
  {
    name: "reviews",
    title: "reviews",
    path: "pipelines/code-review",
    onlyForm: true,
    heading: "reviewLead",
    submit: "startReview",
    fields: [
      { name: "patch", label: "patch", hint: "patchHint", type: "long", rows: 14, required: true },
      { name: "subject", label: "subject", hint: "subjectHint", optional: true },
      { name: "requirement_document_id", label: "requirementDocument", hint: "requirementDocumentHint", type: "row", of: "requirements", optional: true, none: "noneOfThem", more: true },
      { name: "template_id", label: "promptTemplate", hint: "reviewTemplateHint", type: "row", of: "prompts", optional: true, none: "noneOfThem", more: true },
      { name: "model", label: "model", hint: "answerModelHint", type: "model", optional: true, more: true },
    ],
  },
  {
    name: "tests",
    title: "testGeneration",
    path: "pipelines/test-generation",
    onlyForm: true,
    heading: "testsLead",
    submit: "startTests",
    fields: [
      { name: "repository_id", label: "repositoryId", hint: "testsRepositoryHint", type: "row", of: "git/repositories", required: true },
      { name: "base", label: "targetRef", hint: "refHint", type: "ref", of: "repository_id", required: true },
      { name: "head", label: "sourceRef", hint: "refHint", type: "ref", of: "repository_id", required: true },
      { name: "deliver", label: "deliverTests", type: "choice", options: ["files", "branch"], names: "deliverTestsAs", initial: "files" },
      { name: "model", label: "model", hint: "answerModelHint", type: "model", optional: true, more: true },
    ],
  },
];
