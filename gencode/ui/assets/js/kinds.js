// The kinds of tasks that the service runs, and what tasks, their statuses and their errors are called.
//
// The page has its own texts for kind "generate" and for statuses that every kind has. The rest is in the
// service's list of kinds; what is not in that list either is shown by its name.

import { Problem, get } from "./api.js";
import { GENERATE_STAGES, isGenerate } from "./task.js";
import { language, t } from "./words.js";

const COMMON_STATUSES = ["pending", "completed", "failed", "cancelled"];

let kinds = new Map(); // by name: {title, stages: Map of titles by name, advice: Map of texts by code}
let loading = null;

/** Loads the list once. Never rejects: an older service has no list; after a failure the next call retries. */
export function loadKinds() {
  loading ??= get("kinds").then(
    (list) => (kinds = new Map(list.kinds.map((kind) => [kind.name, parsed(kind)]))),
    (error) => {
      if (!(error instanceof Problem && error.status === 404)) loading = null;
    },
  );
  return loading;
}

const parsed = ({ title, stages, errors }) => ({
  title,
  stages: new Map(stages.map((stage) => [stage.name, stage.title])),
  advice: new Map(errors.map((error) => [error.code, error.advice])),
});

/** Names of a kind's stages in their order; empty for an unknown kind. */
export function stagesOf(kind) {
  const known = kinds.get(kind);
  if (known) return [...known.stages.keys()];
  return isGenerate(kind) ? GENERATE_STAGES : [];
}

/** The statuses of tasks that are not over. The service rejects a filter with a status of no known kind. */
export function unfinishedStatuses() {
  const stages = kinds.size ? [...kinds.keys()].flatMap(stagesOf) : GENERATE_STAGES;
  return [...new Set(["pending", ...stages])];
}

export const kindTitle = (kind) => translated(kinds.get(kind)?.title) || kind;

/** What a task is called: its repository, its own label, or its kind's title with what the task is about, as far as
 * the task says so. `task`: as GET /task/{id} returns it. */
export function taskName(task) {
  if (isGenerate(task.kind)) return task.repo_name || task.task_id;
  const about =
    task.knowledge_document_name || task.knowledge_base_name || task.blueprint_name || task.title || task.subject;
  return task.label || [kindTitle(task.kind), about].filter(Boolean).join(": ");
}

export const statusName = (status, kind) => ownText("statuses", status, kind) || stageTitle(status, kind);
export const stageName = (stage, kind) => ownText("stages", stage, kind) || stageTitle(stage, kind);

/** What to do about an error, by its code; empty if neither the page nor the kind has advice for it. */
export function advice(code, kind) {
  const own = textIn("advice", code);
  const ofKind = translated(kinds.get(kind)?.advice.get(code));
  return (isGenerate(kind) ? own || ofKind : ofKind || own) || "";
}

/** One sentence about an error in the page's language; empty if that is the language of the service's message. */
export const failureText = (code) => textIn("failures", code);

/** What rule of the checks a finding breaks; empty as above. */
export const ruleText = (rule) => textIn("rules", rule);

const ownText = (group, status, kind) =>
  isGenerate(kind) || COMMON_STATUSES.includes(status) ? textIn(group, status) : "";
const stageTitle = (stage, kind) => translated(kinds.get(kind)?.stages.get(stage)) || stage;
const textIn = (group, name) => (Object.hasOwn(t(group), name) ? t(group)[name] : "");
const translated = (texts) => texts?.[language()] || texts?.en || "";
