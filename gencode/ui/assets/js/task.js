// What a task's events add up to. `fold` is the only place that knows what an event means.

const STAGES = ["pending", "generating", "merging_files", "creating_repo", "pushing", "completed"];
const OVER = ["completed", "failed", "cancelled"];
const MOST_LIVE = 2 ** 21; // characters of one file that is being written

export { STAGES };
export const isOver = (status) => OVER.includes(status);

/** A task before its first event. */
export function blank(id) {
  return {
    id,
    status: null,
    message: "",
    steps: [], // {status, at}, as they were entered
    planned: false,
    summary: "",
    files: new Map(), // path -> {path, state, bytes, purpose, faults, at}
    live: new Map(), // what is being written: path -> {text, partial, heard, start, kept}, see `delta`
    usage: null,
    result: {},
    failure: null,
    held: null, // waiting for approval: {approve_by}
    progress: null,
    log: [],
    newest: null, // the path that was written to last
  };
}

/** Takes in one event, in place. */
export function fold(task, kind, data, id) {
  if (id !== null) task.log.push({ id, kind, data });
  const take = FOLDS[kind];
  if (take) take(task, data);
}

/** Files of which a part is kept already (from GET .../files): the log tells of whole ones only. */
export function noteFiles(task, listed) {
  for (const { path, state, bytes, purpose } of listed) {
    const file = fileOf(task, path);
    if (purpose) file.purpose = purpose;
    if (file.state !== "planned" || state === "planned") continue;
    Object.assign(file, state === "writing" ? { state } : { state: "whole", bytes });
  }
}

/** Milliseconds spent in each stage so far, by status; `now` ends the one that runs. */
export function times(task, now) {
  const spent = new Map();
  task.steps.forEach(({ status, at }, index) => {
    if (isOver(status)) return;
    const end = index + 1 < task.steps.length ? Date.parse(task.steps[index + 1].at) : now;
    spent.set(status, (spent.get(status) || 0) + Math.max(0, end - Date.parse(at)));
  });
  return spent;
}

/** Milliseconds from the first event to the end, or until now; pauses before a retry do not count. */
export const elapsed = (task, now) => [...times(task, now).values()].reduce((sum, one) => sum + one, 0);

/** The stage that the task is in, or ended in. */
export function stageOf(task) {
  const working = task.steps.filter(({ status }) => !isOver(status) || status === "completed");
  return working.length ? working[working.length - 1].status : "pending";
}

export const counts = (task) => {
  const files = [...task.files.values()];
  return { whole: files.filter((file) => WHOLE.includes(file.state)).length, of: files.length };
};

const WHOLE = ["whole", "repaired"];
export const isWhole = (file) => WHOLE.includes(file.state);

const FOLDS = {
  status(task, data) {
    Object.assign(task, { status: data.status, message: data.message });
    task.steps.push({ status: data.status, at: data.at });
    if (data.status !== "failed") task.failure = null;
    Object.assign(task.result, data);
    if (isOver(data.status)) {
      Object.assign(task, { held: null, progress: null });
      task.live.clear();
      for (const file of task.files.values()) if (file.state === "writing") file.state = "planned";
    }
  },
  error(task, data) {
    task.failure = data;
  },
  plan(task, data) {
    Object.assign(task, { planned: true, summary: data.summary });
    task.live.delete("plan");
    const known = task.files;
    task.files = new Map();
    for (const { path, purpose } of data.files)
      task.files.set(path, { ...(known.get(path) || { path, state: "planned" }), purpose });
    // What was begun before the plan was whole is in the plan; only a plan that was edited lacks it.
    for (const [path, file] of known) if (isWhole(file) && !task.files.has(path)) task.files.set(path, file);
  },
  file(task, data) {
    Object.assign(fileOf(task, data.path), { state: "whole", bytes: data.bytes });
    task.live.delete(data.path);
  },
  // A long file is divided before it is written; what was said until then is not of the file.
  outline(task, data) {
    task.live.delete(data.path);
  },
  repair(task, data) {
    Object.assign(fileOf(task, data.path), { state: "repaired", faults: 0 });
    task.live.delete(data.path);
  },
  findings(task, data) {
    for (const finding of data.findings) {
      const path = finding.path || finding.file;
      if (task.files.has(path)) task.files.get(path).faults = (task.files.get(path).faults || 0) + 1;
    }
  },
  retry(task, data) {
    // An answer that came to its end and was no good was accounted for all the same.
    const said = task.live.get(data.about);
    back(said, data.code === "LLM_BAD_OUTPUT" ? said?.start : said?.kept);
  },
  resumed(task) {
    for (const said of task.live.values()) back(said, said.kept);
  },
  usage(task, data) {
    task.usage = data.total;
    const said = task.live.get(data.about);
    if (said) said.kept = said.text.length;
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
  approval(task, data) {
    Object.assign(task, { held: data, message: data.message });
  },
  approved(task, data) {
    Object.assign(task, { held: null, message: data.message });
  },
  progress(task, data) {
    task.progress = data;
  },
  // `heard`: characters of the present answer; if the next piece begins elsewhere, some were missed. What
  // earlier answers said stays (`kept`): a file that the token limit cut is continued by the next answer.
  delta(task, { about, offset, text }) {
    const plan = about === "plan" && !task.planned;
    if (!task.live.has(about))
      task.live.set(about, {
        text: "",
        partial: task.files.get(about)?.state === "writing",
        heard: 0,
        start: 0,
        kept: 0,
      });
    const said = task.live.get(about);
    if (offset === 0) Object.assign(said, { heard: 0, start: said.text.length });
    if (offset !== said.heard) said.partial = true;
    said.heard = offset + [...text].length;
    if (said.text.length < MOST_LIVE) said.text += text;
    if (plan) return;
    const file = fileOf(task, about);
    if (file.state !== "writing") Object.assign(file, { state: "writing", again: isWhole(file) });
    task.newest = about;
  },
};

/** The answer that was being given is given anew. */
function back(said, to) {
  if (said) Object.assign(said, { text: said.text.slice(0, to), heard: 0 });
}

function fileOf(task, path) {
  if (!task.files.has(path)) task.files.set(path, { path, state: "planned" });
  return task.files.get(path);
}
