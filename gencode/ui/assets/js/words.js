// The page's words, and numbers and times as its language writes them.

import { forLong } from "./storage.js";
import blueprintsEn from "./texts/blueprints/en.js";
import blueprintsZh from "./texts/blueprints/zh.js";
import failuresZh from "./texts/failures/zh.js";
import en from "./texts/en.js";
import projectsEn from "./texts/projects/en.js";
import projectsZh from "./texts/projects/zh.js";
import taskEn from "./texts/task/en.js";
import taskZh from "./texts/task/zh.js";
import workspaceEn from "./texts/workspace/en.js";
import workspaceZh from "./texts/workspace/zh.js";
import zh from "./texts/zh.js";

const TEXTS = {
  en: { ...en, ...taskEn, ...workspaceEn, ...blueprintsEn, ...projectsEn },
  zh: { ...zh, ...taskZh, ...failuresZh, ...workspaceZh, ...blueprintsZh, ...projectsZh },
};
let chosen =
  forLong.get("language") || navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in TEXTS);
if (!(chosen in TEXTS)) chosen = "en";

export const language = () => chosen;
export function speak(other) {
  chosen = other;
  forLong.set("language", other);
}

/** The text of that name; those that need figures are functions of them. */
export function t(name, ...figures) {
  const text = TEXTS[chosen][name];
  return typeof text === "function" ? text(...figures) : text;
}

export const number = (value) => new Intl.NumberFormat(chosen).format(value);

/** 950 B, 1.2 kB: what a file tree has room for. */
export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return `${new Intl.NumberFormat(chosen, { maximumFractionDigits: 1 }).format(bytes / 1000)} kB`;
}

/** A cost as the service says it (a decimal as text), without the zeros at its end. */
export function money(text) {
  const value = Number(text);
  return new Intl.NumberFormat(chosen, { maximumSignificantDigits: 3 }).format(value);
}

/** Of milliseconds: 0.4 s, 12 s, 3 min 05 s. `digits`: of less than ten seconds. */
export function duration(milliseconds, digits = 1) {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 10) return `${seconds.toFixed(digits)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${String(Math.floor(seconds % 60)).padStart(2, "0")} s`;
}

export const clock = (moment) =>
  new Intl.DateTimeFormat(chosen, { timeStyle: "medium", hourCycle: "h23" }).format(new Date(moment));
export const dated = (moment) =>
  new Intl.DateTimeFormat(chosen, { dateStyle: "medium", timeStyle: "short" }).format(new Date(moment));

const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
/** "5 minutes ago". */
export function ago(moment, now) {
  const seconds = Math.round((now - Date.parse(moment)) / 1000);
  const [unit, length] = UNITS.find(([, least]) => seconds >= least) || [];
  if (!unit) return t("justNow");
  return new Intl.RelativeTimeFormat(chosen, { style: "short" }).format(-Math.floor(seconds / length), unit);
}
