/** Titles of records that others refer to: asked for together, and kept while the page is open. */

import { reactive } from "vue";

import { entityNamed } from "@/registry";
import { titleOf } from "@/records/types";

const MOST = 200;
const MOST_KEPT = 5000;
const titles = reactive(new Map<string, string>());
const wanted = new Map<string, Set<number>>();

/** "#7" until the title is known. */
export function titleOfId(entity: string, id: number): string {
  const known = titles.get(`${entity}/${id}`);
  if (known === undefined) {
    want(entity, id);
  }
  return known ?? `#${id}`;
}

export function forgetTitle(entity: string, id: number): void {
  titles.delete(`${entity}/${id}`);
}

function want(entity: string, id: number): void {
  if (wanted.size === 0) {
    setTimeout(() => void load(), 0);
  }
  const ids = wanted.get(entity) ?? new Set();
  wanted.set(entity, ids.add(id));
}

async function load(): Promise<void> {
  const all = [...wanted];
  wanted.clear();
  if (titles.size > MOST_KEPT) {
    titles.clear();
  }
  await Promise.allSettled(all.map(([name, ids]) => loadOf(name, [...ids])));
}

async function loadOf(name: string, ids: number[]): Promise<void> {
  const entity = entityNamed(name);
  for (let start = 0; start < ids.length; start += MOST) {
    const part = ids.slice(start, start + MOST);
    const page = await entity.records.list({ ids: part, page_size: MOST });
    part.forEach((id) => titles.set(`${name}/${id}`, `#${id}`));
    page.items.forEach((record) => titles.set(`${name}/${record.id}`, titleOf(entity, record)));
  }
}
