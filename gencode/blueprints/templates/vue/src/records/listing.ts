/** Many records, in pages. */

import type { Entity, ListQuery, RecordBase, RecordPage } from "@/records/types";

const PAGE = 200;
const MOST = 1000;

/** The newest records, at most 1000; `total` tells how many there are. */
export async function loadAll(entity: Entity, query: ListQuery = {}): Promise<RecordPage<RecordBase>> {
  const items: RecordBase[] = [];
  for (let page = 1; ; page += 1) {
    const answer = await entity.records.list({ ...query, page, page_size: PAGE });
    items.push(...answer.items);
    if (items.length >= Math.min(answer.total, MOST) || answer.items.length === 0) {
      return { ...answer, items };
    }
  }
}
