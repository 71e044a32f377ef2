/** What a value of a column must be: checked before a form is sent; the api checks it again. */

import { texts } from "@/records/texts";
import type { Column } from "@/records/types";

const UUID = /^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const DECIMAL = /^-?(\d+)(?:\.(\d*))?$/;
const MOST_INTEGER = { integer: [-(2 ** 31), 2 ** 31 - 1], bigint: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER] } as const;

/** What is wrong with the value; "" if nothing is. */
export function faultOf(column: Column, value: unknown): string {
  if (isEmpty(value) || (value === "" && column.kind !== "string" && column.kind !== "text")) {
    return column.required ? texts.required(column.label) : "";
  }
  switch (column.kind) {
    case "string":
    case "text":
      return faultOfText(column, String(value));
    case "integer":
    case "bigint":
      return Number.isSafeInteger(value) ? faultOfNumber(column, Number(value), MOST_INTEGER[column.kind]) : texts.notInteger;
    case "float":
      return faultOfNumber(column, Number(value), [-Infinity, Infinity]);
    case "decimal":
      return faultOfDecimal(column, String(value));
    case "uuid":
      return UUID.test(String(value)) ? "" : texts.notUuid;
    case "json":
      return isJson(String(value)) ? "" : texts.notJson;
    default:
      return "";
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined;
}

function faultOfText(column: Column, value: string): string {
  const least = column.minLength ?? 0;
  const length = [...value].length;
  if (length === 0 && (!column.required || least > 0)) {
    return column.required ? texts.required(column.label) : "";
  }
  if (length < least) {
    return texts.tooShort(least);
  }
  return column.length !== undefined && length > column.length ? texts.tooLong(column.length) : "";
}

function faultOfNumber(column: Column, value: number, [lowest, highest]: readonly [number, number]): string {
  const least = Math.max(column.minimum ?? lowest, lowest);
  const most = Math.min(column.maximum ?? highest, highest);
  if (value < least) {
    return texts.tooSmall(least);
  }
  return value > most ? texts.tooLarge(most) : "";
}

function faultOfDecimal(column: Column, value: string): string {
  const { precision = 18, scale = 2 } = column;
  const match = DECIMAL.exec(value.trim());
  const whole = match?.[1]?.replace(/^0+/, "") ?? "";
  if (match === null || whole.length > precision - scale || (match[2] ?? "").length > scale) {
    return texts.notDecimal(precision, scale);
  }
  return faultOfNumber(column, Number(value), [-Infinity, Infinity]);
}

function isJson(value: string): boolean {
  try {
    JSON.parse(value);
    return true;
  } catch {
    return false;
  }
}
