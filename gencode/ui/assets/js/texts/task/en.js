// English texts of what a task's view shows besides its state: stages, files, the plan.

export default {
  // Messages of the service are English: the page's own sentences for codes and rules are for other languages.
  failures: {},
  rules: {},
  planReady: "The plan is ready: it waits for your approval",
  aboutTask: { chat: "Open the conversation", knowledge: "Open the knowledge base", requirements: "Open the document", blueprints: "Open the blueprint" },
  finished: "The task is completed",

  // The form
  defaultOne: (name) => `${name}, the default`,
  ownModel: "your own model",
  nothingToChoose: "Nothing is there yet: add one first",
  otherModel: "Another model…",
  otherModelAsked: "Provider and id of the model, such as deepseek/deepseek-reasoner",
  nameFree: "This name is free.",
  nameTaken: (free) => `A repository of this name exists already.${free ? ` ${free} is probably free.` : ""}`,

  // Stages
  openStage: "Show what happened in this stage",
  stageBegan: (when) => `began ${when}`,
  stageWorked: (time) => `took ${time}`,
  stageWaited: (time) => `waited ${time} for approval`,
  stageCalls: (count) => (count === "1" ? "1 model call" : `${count} model calls`),
  stageRetries: (count) => (count === "1" ? "1 repetition" : `${count} repetitions`),
  stageNoCalls: "No model was called in this stage.",
  modelCalls: "Model calls",
  callColumns: ["For", "Prompt tokens", "Answer tokens", "Time"],
  callPlan: "the plan",
  callRepeated: (code, seconds) => `${code}: asked again after ${seconds} s`,
  callFailedOver: (code, model) => `${code}: ${model} answers from here on`,
  done: "Progress",
  waited: "Waited for approval",

  // Files
  source: "Source",
  rendered: "Rendered",
  searchFiles: "Search in files",
  foundLines: (count) => (count === 0 ? "Nothing found." : count === 1 ? "1 line" : `${count} lines`),
  report: "Report",

  // The plan
  planNoFiles: "A plan needs at least one file: add one.",
  planNoPath: (number) => `File ${number} has no path: enter one, or take the file out.`,
  planUndo: "Undo my changes",
};
