// The sections of the workspace. A resource is declared here; its list and its form follow (resource.js).
//
// name    in the address of the page: #/workspace/models
// path    of the resource, below the API
// note    what a row of the list says besides its name
// fields  of the form: `type` is text (the default), long, number, decimal, tags, tick, choice, secret, model, or row
//         (of the resource at the path `of`);
//         `optional` ones are null when they are empty; `more` ones are below "More options"
// actions POST routes below a row; one that submits a task leads to it; `when`: for which rows there is one
// show    a view of its own, in place of list and form

import { announce } from "../dom.js";
import { duration, number, t } from "../words.js";
import { accountView } from "./account.js";
import { blueprintsView } from "./blueprints/section.js";
import { chatView } from "./chat.js";
import { diffDetail } from "./diff.js";
import { knowledgeDetail } from "./knowledge.js";
import { documentDetail } from "./requirements.js";
import { formOf } from "./resource.js";
import { projectDetail, teamDetail } from "./teams.js";
import { usageView } from "./usage.js";

const ROLES = ["user", "tester", "developer", "admin"];
const name = { name: "name", label: "rowName", required: true };

export const SECTIONS = [
  { name: "chat", title: "chat", show: chatView },
  {
    name: "models",
    title: "modelConfigs",
    lead: "modelConfigsLead",
    path: "ai/models",
    note: (row) =>
      [
        `${row.provider}/${row.model}`,
        row.is_default && t("isDefault"),
        !row.is_active && t("isInactive"),
        !row.has_api_key && t("noKey"),
      ]
        .filter(Boolean)
        .join(" · "),
    actions: [{ name: "test", label: "testIt", told: testOutcome }],
    fields: [
      name,
      {
        name: "provider",
        label: "provider",
        type: "choice",
        options: ["deepseek", "openai", "claude", "gemini", "doubao", "spark", "compatible"],
        initial: "deepseek",
      },
      { name: "model", label: "modelId", required: true },
      { name: "api_key", label: "apiKey", hint: "apiKeyHint", type: "secret", shown: "has_api_key" },
      { name: "is_default", label: "makeDefault", hint: "makeDefaultHint", type: "tick" },
      { name: "is_active", label: "active", type: "tick", initial: true },
      { name: "base_url", label: "baseUrl", hint: "baseUrlHint", optional: true, more: true },
      { name: "priority", label: "priority", hint: "priorityHint", type: "number", initial: 100, more: true },
      { name: "max_tokens", label: "answerTokens", type: "number", optional: true, more: true },
      { name: "price_prompt", label: "pricePrompt", hint: "priceHint", type: "decimal", optional: true, more: true },
      { name: "price_completion", label: "priceCompletion", hint: "priceHint", type: "decimal", optional: true, more: true },
      { name: "monthly_token_limit", label: "monthlyTokens", type: "number", optional: true, more: true },
      { name: "monthly_cost_limit", label: "monthlyCost", type: "decimal", optional: true, more: true },
    ],
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
      name,
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
      name,
      { name: "original_content", label: "content", type: "long", rows: 14, required: true, onlyNew: true },
    ],
    detail: documentDetail,
    actions: [{ label: "analyse", path: "pipelines/requirement-analysis", body: (row) => ({ document_id: row.id }) }],
  },
  {
    name: "repositories",
    title: "repositories",
    lead: "repositoriesLead",
    path: "git/repositories",
    note: (row) =>
      [row.repository_url, t("syncStates")[row.sync_status], row.sync_error].filter(Boolean).join(" · "),
    fields: [
      name,
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
      name,
      { name: "repository_id", label: "repositoryId", type: "row", of: "git/repositories", required: true, onlyNew: true },
      {
        name: "compare_type",
        label: "compareType",
        type: "choice",
        options: ["branch", "commit"],
        names: "compareTypes",
        initial: "branch",
        onlyNew: true,
      },
      { name: "source_ref", label: "sourceRef", required: true, onlyNew: true },
      { name: "target_ref", label: "targetRef", required: true, onlyNew: true },
    ],
    detail: diffDetail,
  },
  {
    name: "reviews",
    title: "reviews",
    path: "pipelines/code-review",
    show: (box) => formOf(box, SECTIONS.find((one) => one.name === "reviews"), "new"),
    heading: "reviewLead",
    submit: "startReview",
    fields: [
      { name: "patch", label: "patch", hint: "patchHint", type: "long", rows: 14, required: true },
      { name: "subject", label: "subject", hint: "subjectHint", optional: true },
      { name: "model", label: "model", hint: "answerModelHint", type: "model", optional: true, more: true },
    ],
  },
  {
    name: "tests",
    title: "testGeneration",
    path: "pipelines/test-generation",
    show: (box) => formOf(box, SECTIONS.find((one) => one.name === "tests"), "new"),
    heading: "testsLead",
    submit: "startTests",
    fields: [
      { name: "repository_id", label: "repositoryId", hint: "testsRepositoryHint", type: "row", of: "git/repositories", required: true },
      { name: "base", label: "baseRef", required: true },
      { name: "head", label: "headRef", required: true },
      { name: "deliver", label: "deliverTests", type: "choice", options: ["files", "branch"], names: "deliverTestsAs", initial: "files" },
      { name: "model", label: "model", hint: "answerModelHint", type: "model", optional: true, more: true },
    ],
  },
  {
    name: "knowledge",
    title: "knowledge",
    lead: "knowledgeLead",
    path: "knowledge/bases",
    note: (row) => [t("documentCount", number(row.document_count)), row.is_public && t("isPublic")].filter(Boolean).join(" · "),
    fields: [
      name,
      { name: "description", label: "description", type: "long", rows: 2, optional: true },
      { name: "is_public", label: "shareIt", hint: "shareItHint", type: "tick" },
    ],
    detail: knowledgeDetail,
  },
  {
    name: "teams",
    title: "teams",
    lead: "teamsLead",
    path: "teams",
    note: (row) => [row.code, t("plans")[row.subscription_plan], row.status !== "active" && t("isInactive")].filter(Boolean).join(" · "),
    fields: [
      name,
      { name: "code", label: "code", hint: "codeHint", required: true },
      { name: "description", label: "description", type: "long", rows: 2, optional: true },
    ],
    detail: teamDetail,
  },
  {
    name: "projects",
    title: "projects",
    lead: "projectsLead",
    path: "projects",
    note: (row) => [row.code, t("visibilities")[row.visibility], t("projectStates")[row.status]].filter(Boolean).join(" · "),
    actions: [
      { name: "archive", label: "archive", when: (row) => row.status === "active", told: reload },
      { name: "unarchive", label: "unarchive", when: (row) => row.status === "archived", told: reload },
    ],
    fields: [
      name,
      { name: "code", label: "code", hint: "codeHint", required: true },
      { name: "team_id", label: "team", hint: "teamHint", type: "row", of: "teams", optional: true, onlyNew: true },
      {
        name: "visibility",
        label: "visibility",
        type: "choice",
        options: ["private", "team", "public"],
        names: "visibilities",
        initial: "private",
      },
      {
        name: "project_type",
        label: "projectType",
        type: "choice",
        options: ["web", "mobile", "desktop"],
        names: "projectTypes",
        initial: "web",
      },
      { name: "description", label: "description", type: "long", rows: 4, optional: true },
    ],
    detail: projectDetail,
  },
  { name: "blueprints", title: "blueprints", show: blueprintsView },
  {
    name: "credentials",
    title: "gitCredentials",
    lead: "gitCredentialsLead",
    path: "git/credentials",
    note: (row) => [row.provider, row.git_username, row.api_url, row.is_default && t("isDefault")].filter(Boolean).join(" · "),
    fields: [
      name,
      {
        name: "provider",
        label: "gitHost",
        type: "choice",
        options: ["github", "gitlab", "gitee", "bitbucket", "gitea", "generic"],
        initial: "github",
      },
      { name: "access_token", label: "accessToken", hint: "apiKeyHint", type: "secret", shown: "id", required: true },
      { name: "git_username", label: "gitUserName" },
      { name: "git_email", label: "email" },
      { name: "is_default", label: "makeDefault", hint: "makeDefaultHostHint", type: "tick" },
      { name: "api_url", label: "hostAddress", hint: "baseUrlHint", optional: true, more: true },
    ],
  },
  {
    name: "users",
    title: "users",
    lead: "usersLead",
    path: "users",
    rows: "users",
    label: "username",
    note: (row) => [row.email, t("roles")[row.role], !row.is_active && t("isInactive")].filter(Boolean).join(" · "),
    fields: [
      { name: "username", label: "usernameField", required: true },
      { name: "email", label: "email", required: true },
      { name: "password", label: "firstPassword", hint: "newPasswordHint", type: "secret", required: true, onlyNew: true },
      { name: "role", label: "role", type: "choice", options: ROLES, names: "roles", initial: "user" },
      { name: "nickname", label: "nickname", optional: true, more: true },
      { name: "department", label: "department", optional: true, more: true },
      { name: "position", label: "position", optional: true, more: true },
    ],
  },
  { name: "usage", title: "usage", show: usageView },
  { name: "account", title: "account", show: accountView },
];

/** Shows the row as it is now. */
function reload() {
  announce(t("saved"));
  dispatchEvent(new HashChangeEvent("hashchange"));
}

function testOutcome({ ok, latency_ms: milliseconds, text, error }) {
  if (ok) return t("testWorked", duration(milliseconds), text);
  return t("testFailed", error.code, error.message);
}
