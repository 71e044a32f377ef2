/** The api of one kind of record. */

import { request } from "@/records/http";
import type { RecordBase, Records } from "@/records/types";

/** `path` under /api, such as `/orders`. */
export function recordsAt<T extends RecordBase, I extends object>(path: string): Records<T, I> {
  return {
    list: (query = {}) => request("GET", path, query),
    get: (id) => request("GET", `${path}/${id}`),
    create: (body) => request("POST", path, {}, body),
    update: (id, body) => request("PUT", `${path}/${id}`, {}, body),
    remove: (id) => request("DELETE", `${path}/${id}`),
  };
}
