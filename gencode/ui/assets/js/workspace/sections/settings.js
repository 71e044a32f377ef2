// Sections of settings: models, credentials, teams, users, usage, and one's own account.

import { duration, t } from "../../words.js";
import { accountView } from "../account.js";
import { teamDetail } from "../teams.js";
import { usageView } from "../usage.js";
import { NAME } from "./fields.js";

const ROLES = ["user", "tester", "developer", "admin"];

export const SETTINGS = [
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
      NAME,
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
    name: "credentials",
    title: "gitCredentials",
    lead: "gitCredentialsLead",
    path: "git/credentials",
    note: (row) => [row.provider, row.git_username, row.api_url, row.is_default && t("isDefault")].filter(Boolean).join(" · "),
    fields: [
      NAME,
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
    name: "teams",
    title: "teams",
    lead: "teamsLead",
    path: "teams",
    note: (row) => [row.code, t("plans")[row.subscription_plan], row.status !== "active" && t("isInactive")].filter(Boolean).join(" · "),
    fields: [
      NAME,
      { name: "code", label: "code", hint: "codeHint", required: true },
      { name: "description", label: "description", type: "long", rows: 2, optional: true },
    ],
    detail: teamDetail,
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

function testOutcome({ ok, latency_ms: milliseconds, text, error }) {
  if (ok) return t("testWorked", duration(milliseconds), text);
  return t("testFailed", error.code, error.message);
}
