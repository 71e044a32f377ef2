// What a task's events add up to. `fold` is the only function that interprets events.

export const GENERATE_STAGES = ["generating", "merging_files", "creating_repo", "pushing"];
const STATES = { pending: "queued", completed: "succeeded", failed: "failed", cancelled: "cancelled" };
const FINAL_STATUSES = ["completed", "failed", "cancelled"];
const FINAL_STATES = ["succeeded", "failed", "cancelled"];
const MOST_ELEMENTS = 5000;
const MAX_LIVE = 2 ** 21; // characters of one file that is being written

/** Tasks of kind "generate" have files, a plan and a repository. Older services send no kind. */
export const isGenerate = (kind) => kind == null || kind === "generate";

/** queued, running, paused, succeeded, failed, cancelled or unknown. Older services send no state. */
export const stateOf = ({ state, status, awaiting_approval: isWaiting }) =>
  state || (isWaiting ? "paused" : stateOfStatus(status));
const stateOfStatus = (status) => STATES[status] || "running"; // any other status is the name of a stage
const isFinal = (status) => FINAL_STATUSES.includes(status);

export const isOver = (task) => FINAL_STATES.includes(task.state);
export const isPaused = (task) => task.state === "paused";

/** A task before its first event. */
export function blank(id) {
  return {
    id,
    kind: null,
    status: null,
    state: null,
    message: "",
    steps: [], // {status, at}, as they were entered
    planned: false,
    summary: "",
    files: new Map(), // path -> {path, state, bytes, purpose, faults, at}
    live: new Map(), // being written: path -> {text, partial, received, start, checkpoint}, see `delta`
    usage: null,
    result: {},
    failure: null,
    pause: null, // while the task waits for approval: {approve_by}
    waits: [], // {from, to}, as approvals were asked for and given; `to` is null of one that is due
    findings: new Map(), // path -> [{line, rule, message}], of the last check, without repaired files
    share: null, // percent of the parts that are done, of kinds that count them
    progress: null,
    log: [],
    proof: [], // steps of a build's certificate that have ended
    elements: new Map(), // of a blueprint, by kind and name, as they are said
    newest: null, // the path that was written last
  };
}

/** Applies one event to the task, in place. Kinds may give the same name to events of other content. */
export function fold(task, kind, data, id) {
  if (id !== null) task.log.push({ id, kind, data });
  const apply = FOLDS[kind] || (isGenerate(task.kind) && GENERATE_FOLDS[kind]);
  if (apply) apply(task, data);
}

/** Files of which a part is stored already (from GET .../files): events report complete files only. */
export function noteFiles(task, listed) {
  for (const { path, state, bytes, purpose } of listed) {
    const file = fileOf(task, path);
    if (purpose) file.purpose = purpose;
    if (file.state !== "planned" || state === "planned") continue;
    Object.assign(file, state === "writing" ? { state } : { state: "whole", bytes });
  }
}

/** Milliseconds spent in each stage so far, by status; `now` ends the one that runs. Waiting for an approval is
 * no part of them. */
export function times(task, now) {
  const spent = new Map();
  task.steps.forEach(({ status, at }, index) => {
    if (isFinal(status)) return;
    const end = index + 1 < task.steps.length ? Date.parse(task.steps[index + 1].at) : now;
    const begin = Date.parse(at);
    const worked = end - begin - waited(task, now, begin, end);
    spent.set(status, (spent.get(status) || 0) + Math.max(0, worked));
  });
  return spent;
}

/** Milliseconds between `begin` and `end` in which the task waited for an approval. */
export function waited(task, now, begin = 0, end = now) {
  return task.waits.reduce((sum, { from, to }) => {
    const until = Math.min(end, to ? Date.parse(to) : now);
    return sum + Math.max(0, until - Math.max(begin, Date.parse(from)));
  }, 0);
}

function endWait(task, at) {
  const last = task.waits.at(-1);
  if (last && !last.to) last.to = at;
}

/** Milliseconds from the first event to the end, or until now; pauses before a retry do not count. */
export const elapsed = (task, now) => [...times(task, now).values()].reduce((sum, one) => sum + one, 0);

/** The stage that the task is in, or ended in. */
export function stageOf(task) {
  return task.steps.findLast(({ status }) => !isFinal(status) || status === "completed")?.status ?? "pending";
}

/** The stages for the timeline: those `declared` by the task's kind, and others where they were entered. */
export function timelineStages(task, declared) {
  const stages = ["pending", ...declared];
  let previous = "pending";
  for (const { status } of task.steps) {
    if (isFinal(status)) continue;
    if (!stages.includes(status)) stages.splice(stages.indexOf(previous) + 1, 0, status);
    previous = status;
  }
  return [...stages, "completed"];
}

export const counts = (task) => {
  const files = [...task.files.values()];
  return { whole: files.filter((file) => WHOLE.includes(file.state)).length, of: files.length };
};

const WHOLE = ["whole", "repaired"];
export const isWhole = (file) => WHOLE.includes(file.state);

const FOLDS = {
  status(task, data) {
    const state = stateOfStatus(data.status);
    Object.assign(task, { status: data.status, state, pause: null, message: data.message, share: null });
    endWait(task, data.at);
    task.steps.push({ status: data.status, at: data.at });
    if (data.status !== "failed") task.failure = null;
    Object.assign(task.result, data);
    if (isOver(task)) {
      task.progress = null;
      task.live.clear();
      for (const file of task.files.values()) if (file.state === "writing") file.state = "planned";
    }
  },
  error(task, data) {
    // Events of older versions lack retry_helps.
    const helps = data.retryable ? "later" : "after_change";
    task.failure = { retry_helps: helps, retry_fields: [], ...data };
  },
  approval(task, data) {
    Object.assign(task, { state: "paused", pause: data, message: data.message });
    if (data.at) task.waits.push({ from: data.at, to: null });
  },
  approved(task, data) {
    Object.assign(task, { state: "running", pause: null, message: data.message });
    endWait(task, data.at);
  },
  resumed(task) {
    for (const answer of task.live.values()) rewind(answer, answer.checkpoint);
  },
  progress(task, data) {
    task.progress = data;
  },
  // A certificate that is begun anew repeats its steps.
  verification_step(task, data) {
    const at = task.proof.findIndex(({ name }) => name === data.name);
    task.proof = [...(at < 0 ? task.proof : task.proof.slice(0, at)), data];
  },
  element(task, data) {
    const key = `${data.kind} ${data.name}`;
    if (task.elements.size < MOST_ELEMENTS || task.elements.has(key)) task.elements.set(key, data);
  },
  section: (task, { part, of }) => share(task, part, of),
  reviewed(task, { of }) {
    task.reviewed = (task.reviewed || 0) + 1;
    share(task, task.reviewed, of);
  },
  files_indexed: (task, { files, of }) => share(task, files, of),
  chunks_encoded: (task, { encoded, total }) => share(task, encoded, total),
};

function share(task, done, of) {
  if (of) task.share = Math.floor((100 * Math.min(done, of)) / of);
}

const GENERATE_FOLDS = {
  plan(task, data) {
    Object.assign(task, { planned: true, summary: data.summary });
    task.live.delete("plan");
    const known = task.files;
    task.files = new Map();
    for (const { path, purpose } of data.files)
      task.files.set(path, { ...(known.get(path) || { path, state: "planned" }), purpose });
    // Files that were begun before the plan was complete are in the plan, unless the plan was edited.
    for (const [path, file] of known) if (isWhole(file) && !task.files.has(path)) task.files.set(path, file);
  },
  file(task, data) {
    Object.assign(fileOf(task, data.path), { state: "whole", bytes: data.bytes });
    task.live.delete(data.path);
  },
  // A long file is divided before it is written; text received until then is no part of the file.
  outline(task, data) {
    task.live.delete(data.path);
  },
  repair(task, data) {
    Object.assign(fileOf(task, data.path), { state: "repaired", faults: 0 });
    task.findings.delete(data.path);
    task.live.delete(data.path);
  },
  findings(task, data) {
    task.findings = new Map();
    for (const finding of data.findings) {
      const path = finding.path || finding.file;
      task.findings.set(path, [...(task.findings.get(path) || []), finding]);
    }
    for (const [path, file] of task.files) file.faults = (task.findings.get(path) || []).length;
  },
  retry(task, data) {
    // The usage of a complete answer was reported even if the answer was unusable.
    const answer = task.live.get(data.about);
    rewind(answer, data.code === "LLM_BAD_OUTPUT" ? answer?.start : answer?.checkpoint);
  },
  usage(task, data) {
    task.usage = data.total;
    const answer = task.live.get(data.about);
    if (answer) answer.checkpoint = answer.text.length;
  },
  merged(task) {
    for (const file of task.files.values()) if (file.state === "writing") file.state = "whole";
  },
  repo(task, data) {
    Object.assign(task.result, data);
  },
  pushed(task, data) {
    Object.assign(task.result, data);
  },
  // `received`: characters of the current answer; if the next piece has another offset, some were missed. The
  // text of earlier answers stays (`checkpoint`): the next answer continues a file that the token limit cut.
  delta(task, { about, offset, text }) {
    const plan = about === "plan" && !task.planned;
    if (!task.live.has(about))
      task.live.set(about, {
        text: "",
        partial: task.files.get(about)?.state === "writing",
        received: 0,
        start: 0,
        checkpoint: 0,
      });
    const answer = task.live.get(about);
    if (offset === 0) Object.assign(answer, { received: 0, start: answer.text.length });
    if (offset !== answer.received) answer.partial = true;
    answer.received = offset + [...text].length;
    if (answer.text.length < MAX_LIVE) answer.text += text;
    if (plan) return;
    const file = fileOf(task, about);
    if (file.state !== "writing") Object.assign(file, { state: "writing", again: isWhole(file) });
    task.newest = about;
  },
};

/** Drops the text after `length`, which the model sends again. */
function rewind(answer, length) {
  if (answer) Object.assign(answer, { text: answer.text.slice(0, length), received: 0 });
}

function fileOf(task, path) {
  if (!task.files.has(path)) task.files.set(path, { path, state: "planned" });
  return task.files.get(path);
}
