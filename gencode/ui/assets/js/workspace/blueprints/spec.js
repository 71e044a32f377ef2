// The document of a blueprint: its elements, links and fixes. Nothing here touches the page.

import { unique } from "../../api.js";

export const FIELD_TYPES = [
  ...["string", "text", "integer", "bigint", "decimal", "float", "boolean"],
  ...["date", "time", "datetime", "uuid", "json", "binary", "enum"],
];
export const RELATION_TYPES = ["ManyToOne", "OneToMany", "OneToOne", "ManyToMany"];
export const ON_DELETE = ["restrict", "cascade", "setNull"];
export const ACTIONS = ["list", "get", "create", "update", "delete"];
export const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"];
export const PROJECT_TYPES = ["admin", "dashboard", "ecommerce"];
export const COMPONENT_TYPES = [
  ...["table", "form", "detail", "cards", "chart", "tree"],
  ...["container", "tabs", "tab", "heading", "text", "button", "search", "divider", "statistic", "image"],
];

const RIGHT_TO_LEFT = /[\u0590-\u08ff\u202a-\u202e\u2066-\u2069\ufb1d-\ufefc]/;

/** What an element is called: its label where there is one. What is written from right to left is isolated, so that
 * it turns nothing else around. */
export function nameOf({ label, name, id }) {
  const said = label || name || id;
  return RIGHT_TO_LEFT.test(said) ? `\u2068${said}\u2069` : said;
}

/** An id that no element has or had: a new element is never taken for one that was removed. */
const newId = (prefix) => `${prefix}_${unique().slice(0, 10)}`;

/** The name, with a number if one of the siblings has it. */
export function freeName(name, siblings) {
  const taken = new Set(siblings.map((one) => one.name));
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name}${number}`;
  return free;
}

const element = (prefix, name) => ({ id: newId(prefix), name, label: "", description: "" });

export const newEntity = (siblings) => ({
  ...element("e", freeName("Entity", siblings)),
  table: "",
  fields: [{ ...newField([]), name: "name", required: true }],
  relations: [],
  uniqueConstraints: [],
});

export const newField = (siblings) => ({
  ...element("f", freeName("field", siblings)),
  ...{ type: "string", length: null, precision: null, scale: null, enumValues: [], default: null },
  ...{ required: false, unique: false, index: false, minimum: null, maximum: null, minLength: null },
});

export const newRelation = (siblings, target) => ({
  ...element("r", freeName("relation", siblings)),
  ...{ type: "ManyToOne", target, inverseName: "", inverseLabel: "", required: false, owner: true },
  ...{ onDelete: null, joinTable: "" },
});

export const newConstraint = (fields) => ({ id: newId("u"), fields });

export function newPage(siblings) {
  const name = freeName("Page", siblings);
  return { ...element("p", name), path: `/${name.toLowerCase()}`, layout: "default", components: [] };
}

export const newComponent = (siblings) => ({
  ...element("c", freeName("component", siblings)),
  ...{ type: "text", props: {}, dataBinding: null, events: [], children: [] },
});

export function newApi(siblings) {
  const name = freeName("api", siblings);
  const purpose = { entity: null, action: null, flow: null };
  return { ...element("a", name), path: `/${name}`, method: "GET", parameters: [], responses: {}, ...purpose };
}

export const newFlow = (siblings) => ({ ...element("b", freeName("flow", siblings)), entity: null, steps: [] });

/** The relations whose ends are there, each with the cardinalities of both ends: [of `from`, of `to`]. */
export function linksOf(spec) {
  const known = new Set(spec.dataModels.map(({ id }) => id));
  return spec.dataModels.flatMap((entity) =>
    entity.relations
      .filter(({ target }) => known.has(target))
      .map((relation) => ({ from: entity.id, to: relation.target, relation, ends: endsOf(relation) })),
  );
}

export function endsOf({ type, required, owner }) {
  const one = required ? "1" : "0..1";
  if (type === "ManyToMany") return ["*", "*"];
  if (type === "OneToMany") return [one, "*"];
  if (type === "ManyToOne") return ["*", one];
  return owner ? ["0..1", one] : [one, "0..1"];
}

/** The last element that a path such as `dataModels/Order/fields/total` names, with its siblings, or null. */
export function find(spec, path) {
  const parts = path.split("/");
  let holder = spec;
  let found = null;
  for (let at = 0; at + 1 < parts.length; at += 2) {
    found = within(holder?.[parts[at]] || [], parts[at + 1]);
    if (!found) return null;
    holder = found.siblings[found.index];
  }
  return found;
}

/** Components are found at any depth. */
export function within(siblings, id) {
  const index = siblings.findLastIndex((one) => one.id === id);
  if (index >= 0) return { siblings, index };
  for (const { children = [] } of siblings) {
    const found = children.length ? within(children, id) : null;
    if (found) return found;
  }
  return null;
}

/** Applies the fix of a finding; returns whether its element is there. The fix of "" is one of the blueprint itself. */
export function applyFix(spec, { element: path, fix }) {
  const found = path === "" ? { siblings: [spec], index: 0 } : find(spec, path);
  if (!found || !fix) return false;
  if (fix.remove && path !== "") found.siblings.splice(found.index, 1);
  else Object.assign(found.siblings[found.index], fix.changes);
  return true;
}

/** Puts the element at `index` by one place up (-1) or down (1); returns whether there was one. */
export function move(siblings, index, by) {
  if (!siblings[index + by]) return false;
  siblings.splice(index + by, 0, ...siblings.splice(index, 1));
  return true;
}

/** All components of a page, each after its parent: {component, depth, siblings, index, parent}. */
export function flattened(components, depth = 0, parent = null) {
  return components.flatMap((component, index) => [
    { component, depth, siblings: components, index, parent },
    ...flattened(component.children, depth + 1, component),
  ]);
}

const KEPT = ["props", "responses", "default"]; // what is in them means something, whatever it is
const FALSE = ["required", "unique", "index"]; // false where they are not said
const EMPTY = ["label", "description", "table", "inverseName", "inverseLabel", "joinTable"]; // and these are ""

/** The document without what is said by leaving it out: a large one is sent more than twice as small. */
export function compact(value) {
  if (Array.isArray(value)) return value.map(compact);
  if (value === null || typeof value !== "object") return value;
  const said = Object.entries(value).filter(([name, one]) => !isLeftOut(name, one));
  return Object.fromEntries(said.map(([name, one]) => [name, KEPT.includes(name) ? one : compact(one)]));
}

function isLeftOut(name, value) {
  if (value === null) return true;
  if (KEPT.includes(name)) return false;
  if (Array.isArray(value)) return !value.length;
  return (value === "" && EMPTY.includes(name)) || (value === false && FALSE.includes(name));
}
