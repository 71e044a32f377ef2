/** The form of each entity: it shows a record, sends what it shows, and tells what is wrong. */

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { entities } from "@/registry";
import RecordForm from "@/records/RecordForm.vue";
import type { Entity } from "@/records/types";

import { backEnd, cleared, complaints, learnRoutes, loaded, mounted, routeOf, sampleOf, until } from "./support";

let told: string[];
beforeAll(learnRoutes);
beforeEach(() => {
  told = complaints();
});
afterEach(cleared);

function form(entity: Entity, props: object = {}) {
  return mounted(RecordForm, { entity, columns: entity.columns.map((column) => column.name), ...props });
}

function submit(host: HTMLElement): void {
  host.querySelector("form")!.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
}

describe.each(entities.map((entity) => ({ name: entity.name, entity })))("$name", ({ entity }) => {
  it("sends the record that it shows", async () => {
    const sent = backEnd();
    const saved = vi.fn();
    const { host, remove } = form(entity, { id: 1, onSaved: saved });
    await loaded(host);
    expect(host.querySelectorAll("[data-column]")).toHaveLength(entity.columns.length);
    submit(host);
    await until(() => expect(saved).toHaveBeenCalled());
    const change = sent.find((one) => one.method === "PUT");
    const { id, created_at, updated_at, ...body } = sampleOf(entity);
    expect([id, created_at, updated_at]).not.toContain(undefined);
    expect(change).toMatchObject({ path: `/${routeOf(entity)}/1` });
    expect(change?.body).toEqual(body);
    remove();
    expect(told).toEqual([]);
  });

  it("asks for what is required, and sends nothing until it is there", async () => {
    const sent = backEnd();
    const { host, remove } = form(entity);
    const needed = entity.columns.filter(
      (column) => column.required && column.default === undefined && column.kind !== "boolean" && column.minLength !== 0,
    );
    await loaded(host);
    submit(host);
    if (needed.length > 0) {
      await until(() => expect(host.querySelectorAll(".el-form-item__error")).toHaveLength(needed.length));
      expect(sent.filter((one) => one.method !== "GET")).toEqual([]);
    } else {
      await until(() => expect(sent.filter((one) => one.method === "POST")).toHaveLength(1));
      await loaded(host);
    }
    remove();
    expect(told).toEqual([]);
  });

  it("shows what the back end refuses at its field", async () => {
    const column = entity.columns[0];
    if (column === undefined) {
      return;
    }
    const fault = { loc: ["body", column.name], msg: "not this one", type: "value_error" };
    backEnd({ status: 422, detail: [fault] });
    const { host, remove } = form(entity, { id: 1 });
    await loaded(host);
    submit(host);
    await until(() => {
      expect(host.querySelector(`[data-column="${column.name}"]`)?.textContent).toContain("not this one");
    });
    remove();
    expect(told).toEqual([]);
  });
});
