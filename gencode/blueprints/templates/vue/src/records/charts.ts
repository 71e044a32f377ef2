/** Records counted or added up by a value. */

import { titleOfId } from "@/records/titles";
import { type Column, type RecordBase, valueOf } from "@/records/types";
import { shown } from "@/records/values";

const MOST_GROUPS = 30;

export interface Group {
  label: string;
  value: number;
}

/** The largest groups. `sum`: the column whose values are added; "" counts the records. */
export function groupsOf(records: readonly RecordBase[], by: Column, sum: string): Group[] {
  const groups = new Map<string, number>();
  for (const record of records) {
    const amount = sum === "" ? 1 : Number(valueOf(record, sum) ?? 0);
    for (const label of labelsOf(by, valueOf(record, by.name))) {
      groups.set(label, (groups.get(label) ?? 0) + amount);
    }
  }
  return [...groups]
    .map(([label, value]) => ({ label, value: Math.round(value * 1e6) / 1e6 }))
    .sort((one, other) => other.value - one.value)
    .slice(0, MOST_GROUPS);
}

function labelsOf(by: Column, value: unknown): string[] {
  if (value === null || value === undefined) {
    return ["–"];
  }
  switch (by.kind) {
    case "reference":
      return [titleOfId(by.target ?? "", Number(value))];
    case "collection":
      return (value as number[]).map((id) => titleOfId(by.target ?? "", id));
    case "date":
    case "datetime":
      return [String(value).slice(0, 7)];
    default:
      return [shown(by, value)];
  }
}
