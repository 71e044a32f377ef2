/** Values of records as people read them, as forms edit them, and as the api takes them. */

import { project } from "@/project";
import { texts } from "@/records/texts";
import { type Column, type Entity, type RecordBase, type Values, valueOf } from "@/records/types";

const MOST_SHOWN = 200;
const moments = new Intl.DateTimeFormat(project.language === "zh" ? "zh-CN" : undefined, {
  dateStyle: "medium",
  timeStyle: "short",
});

/** The text of a value that is neither a reference nor a collection. */
export function shown(column: Column, value: unknown): string {
  if (value === null || value === undefined) {
    return "";
  }
  switch (column.kind) {
    case "boolean":
      return value === true ? texts.yes : texts.no;
    case "enum":
      return column.options?.find((option) => option.value === value)?.label ?? String(value);
    case "datetime":
      return shownMoment(String(value));
    case "json":
      return cut(JSON.stringify(value));
    case "binary":
      return `${Math.floor((String(value).length * 3) / 4)} B`;
    default:
      return cut(String(value));
  }
}

function shownMoment(value: string): string {
  const moment = new Date(value);
  return Number.isNaN(moment.getTime()) ? value : moments.format(moment);
}

function cut(text: string): string {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

/** Columns that every record has and that no form changes. */
const OWN_COLUMNS: readonly Column[] = [
  { name: "id", label: "ID", kind: "bigint", required: true },
  { name: "created_at", label: texts.created_at, kind: "datetime", required: true },
  { name: "updated_at", label: texts.updated_at, kind: "datetime", required: true },
];

/** The columns with these names, in their order; unknown names are left out. */
export function columnsOf(entity: Entity, names: readonly string[]): Column[] {
  const all = [...entity.columns, ...OWN_COLUMNS];
  return names.flatMap((name) => all.find((column) => column.name === name) ?? []);
}

/** What a form shows: of a record, or of a new one. */
export function formValues(columns: readonly Column[], record: RecordBase | null): Values {
  const values: Values = Object.create(null) as Values;
  for (const column of columns) {
    values[column.name] = record === null ? initial(column) : edited(column, valueOf(record, column.name));
  }
  return values;
}

function initial(column: Column): unknown {
  if (column.kind === "collection") {
    return [];
  }
  if (column.default === undefined) {
    return column.kind === "boolean" && column.required ? false : column.kind === "string" || column.kind === "text" ? "" : null;
  }
  if (column.kind === "datetime" && column.default === "now") {
    return new Date().toISOString();
  }
  return edited(column, column.default);
}

function edited(column: Column, value: unknown): unknown {
  return column.kind === "json" && value !== null && value !== undefined ? JSON.stringify(value, null, 2) : value;
}

/** The body of a request. Of a record that exists, what the form does not show stays: PUT replaces all. */
export function bodyOf(entity: Entity, columns: readonly Column[], values: Values, record: RecordBase | null): Values {
  const body: Values = {};
  for (const column of record === null ? columns : entity.columns) {
    body[column.name] = columns.includes(column) ? sent(column, values[column.name]) : valueOf(record!, column.name);
  }
  return body;
}

function sent(column: Column, value: unknown): unknown {
  if (column.kind === "collection") {
    return value ?? [];
  }
  if (value === undefined || value === null || (value === "" && !(column.required && isText(column)))) {
    return null;
  }
  if (column.kind === "decimal") {
    return String(value).trim();
  }
  return column.kind === "json" ? (JSON.parse(String(value)) as unknown) : value;
}

function isText(column: Column): boolean {
  return column.kind === "string" || column.kind === "text";
}
