/** What the front end knows of a kind of record: its columns, and where the api has it. */

export type Kind =
  | "string"
  | "text"
  | "integer"
  | "bigint"
  | "decimal"
  | "float"
  | "boolean"
  | "date"
  | "time"
  | "datetime"
  | "uuid"
  | "json"
  | "binary"
  | "enum"
  | "reference"
  | "collection";

export interface Option {
  value: string;
  label: string;
}

/**
 * A property of a record, named as in the api.
 *
 * length      the most characters, or bytes of a binary
 * precision, scale  digits in all, and after the point, of a decimal, which travels as a text
 * default     of a form for a new record; "now" of a datetime is the present
 * target      the name of the entity that a reference or a collection refers to
 */
export interface Column {
  name: string;
  label: string;
  kind: Kind;
  required: boolean;
  description?: string;
  default?: unknown;
  length?: number;
  minLength?: number;
  minimum?: number;
  maximum?: number;
  precision?: number;
  scale?: number;
  options?: Option[];
  target?: string;
}

/** Records of another entity that refer to a record by their `column`. */
export interface Inverse {
  name: string;
  label: string;
  source: string;
  column: string;
}

export interface RecordBase {
  id: number;
  created_at: string;
  updated_at: string;
}

export interface RecordPage<T> {
  items: T[];
  total: number;
  page: number;
  page_size: number;
}

/** `sort`: a column, with - before it for the reverse order. Other names are references: the wanted id. */
export interface ListQuery {
  page?: number;
  page_size?: number;
  sort?: string;
  q?: string;
  ids?: number[];
  [reference: string]: string | number | number[] | undefined;
}

export interface Records<T, I> {
  list(query?: ListQuery): Promise<RecordPage<T>>;
  get(id: number): Promise<T>;
  create(body: I): Promise<T>;
  update(id: number, body: I): Promise<T>;
  remove(id: number): Promise<void>;
}

/**
 * title   the column that tells people which record it is
 * pages   names of the routes that list records, show one, make one, change one; null where there is none
 */
export interface Entity<T extends RecordBase = RecordBase, I extends object = object> {
  name: string;
  label: string;
  title: string;
  columns: Column[];
  inverses: Inverse[];
  pages: { list: string | null; detail: string | null; create: string | null; update: string | null };
  records: Records<T, I>;
}

export type Values = Record<string, unknown>;

export function valueOf(record: RecordBase, column: string): unknown {
  return (record as unknown as Values)[column];
}

export function titleOf(entity: Entity, record: RecordBase): string {
  const value = entity.title === "id" ? "" : valueOf(record, entity.title);
  return value === null || value === undefined || value === "" ? `#${record.id}` : String(value);
}
