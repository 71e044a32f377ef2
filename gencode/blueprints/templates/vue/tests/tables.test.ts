/** The table of each entity: its records, no records, and a back end that fails. */

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { entities } from "@/registry";
import RecordDetail from "@/records/RecordDetail.vue";
import RecordTable from "@/records/RecordTable.vue";
import { texts } from "@/records/texts";
import { titleOf, type Entity } from "@/records/types";

import { backEnd, cleared, complaints, learnRoutes, mounted, sampleOf, until } from "./support";

let told: string[];
beforeAll(learnRoutes);
beforeEach(() => {
  told = complaints();
});
afterEach(cleared);

const shown = (entity: Entity) => ({ entity, columns: ["id", ...entity.columns.map((column) => column.name)] });

describe.each(entities.map((entity) => ({ name: entity.name, entity })))("$name", ({ entity }) => {
  it("shows its records, and opens one", async () => {
    backEnd();
    const opened = vi.fn();
    const { host, remove } = mounted(RecordTable, { ...shown(entity), canOpen: true, onOpen: opened });
    await until(() => expect(host.querySelectorAll("tbody tr")).toHaveLength(1));
    for (const column of entity.columns) {
      expect(host.textContent).toContain(column.label.trim());
    }
    [...host.querySelectorAll("button")].find((button) => button.textContent?.includes(texts.open))!.click();
    expect(opened).toHaveBeenCalledOnce();
    remove();
    expect(told).toEqual([]);
  });

  it("tells that there are none", async () => {
    vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ items: [], total: 0, page: 1, page_size: 20 })));
    const { host, remove } = mounted(RecordTable, shown(entity));
    await until(() => expect(host.textContent).toContain(texts.empty));
    remove();
    expect(told).toEqual([]);
  });

  it("tells what failed, and tries again", async () => {
    vi.stubGlobal("fetch", async () => new Response("broken", { status: 500 }));
    const { host, remove } = mounted(RecordTable, shown(entity));
    await until(() => expect(host.querySelector("[role=alert]")?.textContent).toContain("500"));
    backEnd();
    [...host.querySelectorAll("button")].find((button) => button.textContent?.includes(texts.retry))!.click();
    await until(() => expect(host.querySelectorAll("tbody tr")).toHaveLength(1));
    remove();
    expect(told).toEqual([]);
  });

  it("shows one record with its title", async () => {
    backEnd();
    const { host, remove } = mounted(RecordDetail, { ...shown(entity), id: 1, canRemove: true });
    await until(() => expect(host.textContent).toContain(titleOf(entity, sampleOf(entity)).slice(0, 50)));
    remove();
    expect(told).toEqual([]);
  });
});
