// What a request may name, as options of selects: models, Git hosts, and rows of the workspace.

import { get, unique } from "./api.js";
import { h } from "./dom.js";
import { t } from "./words.js";

const OTHER = "other";

/** A select with the options that `load` resolves to, as [value, name]; its value may be set before they are there.
 * A value that is none of them gets an option of its own. */
export function lateSelect(load, first) {
  const select = h("select", {}, first && h("option", { value: "" }, first));
  const known = Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value");
  Object.defineProperty(select, "value", {
    get: () => known.get.call(select),
    set(value) {
      const isNew = value && ![...select.options].some((option) => option.value === value);
      if (isNew) select.append(h("option", { value }, value));
      known.set.call(select, value);
    },
  });
  load().then(
    (pairs) => {
      const chosen = select.value;
      if (!pairs.length && !first) pairs = [["", t("nothingToChoose")]];
      const options = pairs.map(([value, name]) => h("option", { value }, name));
      select.replaceChildren(...(first ? [h("option", { value: "" }, first)] : []), ...options);
      select.value = chosen || (first ? "" : pairs[0]?.[0] || "");
    },
    () => {}, // what stands there can still be sent
  );
  return select;
}

/** The models, the user's own first, and another one of a provider by its id. */
export function modelSelect() {
  const select = lateSelect(models, t("default"));
  select.addEventListener("change", () => select.value === OTHER && askForOther(select));
  return select;
}

const titles = new Map(); // of the user's model configs, by name
let loading = null;

/** What a model is called: a config of the user's by its own name, as soon as that is known. */
export function modelTitle(name) {
  if (!name?.startsWith("config/")) return name;
  if (!titles.has(name)) loading ??= models().catch(() => {});
  return titles.get(name) || t("ownModel");
}

async function models() {
  const { default: first, models: found } = await get("models");
  for (const { name, title, is_own: isOwn } of found) if (isOwn) titles.set(name, title);
  const named = found.map(({ name, title, is_own: isOwn }) => {
    const text = isOwn || name === title ? title : `${name} (${title})`;
    return [name, name === first ? t("defaultOne", text) : text];
  });
  return [...named, [OTHER, t("otherModel")]];
}

function askForOther(select) {
  const name = prompt(t("otherModelAsked"), "")?.trim() || "";
  select.value = name;
  select.dispatchEvent(new Event("input", { bubbles: true }));
}

export const hostSelect = () => lateSelect(hosts, t("default"));

async function hosts() {
  const { default: first, hosts: found } = await get("hosts");
  return found.map(({ name }) => [name, name === first ? t("defaultOne", name) : name]);
}

/** The rows of a resource by their names; `first` stands for none. */
export const rowSelect = (path, first) =>
  lateSelect(async () => (await get(`${path}?limit=100`)).items.map((row) => [row.id, row.name]), first);

/** A branch, a tag or a commit of the repository that the control `of` of the same form names; branches are offered. */
export function refInput(of) {
  const offered = h("datalist", { id: unique() });
  const input = h("input", { list: offered.id, autocomplete: "off", autocapitalize: "none", spellcheck: "false" });
  let shown = null;
  input.addEventListener("focus", async () => {
    const id = input.form.elements.namedItem(of).value;
    if (!id || id === shown) return;
    shown = id;
    input.after(offered);
    const { branches } = await get(`git/repositories/${id}/branches`).catch(() => ({ branches: [] }));
    offered.replaceChildren(...branches.map(({ name }) => h("option", { value: name })));
  });
  return input;
}
