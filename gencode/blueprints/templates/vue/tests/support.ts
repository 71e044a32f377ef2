/** A back end of the tests: it has one record of each entity, and keeps what it is sent. */

import { ElMessage } from "element-plus";
import { createApp, type Component, type Plugin } from "vue";
import { vi } from "vitest";

import { entities } from "@/registry";
import type { Column, Entity, RecordBase, Values } from "@/records/types";

export interface Sent {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Values | undefined;
}

export function sampleOf(entity: Entity): RecordBase {
  const record: Values = { id: 1, created_at: "2024-05-06T07:08:09Z", updated_at: "2024-05-06T07:08:09Z" };
  for (const column of entity.columns) {
    record[column.name] = valueOf(column);
  }
  return record as unknown as RecordBase;
}

function valueOf(column: Column): unknown {
  const least = Math.ceil(column.minimum ?? Math.min(1, column.maximum ?? 1));
  switch (column.kind) {
    case "integer":
    case "bigint":
      return least;
    case "float":
      return column.minimum ?? column.maximum ?? 1.5;
    case "decimal":
      return String(column.minimum ?? column.maximum ?? 0);
    case "boolean":
      return true;
    case "date":
      return "2024-05-06";
    case "time":
      return "07:08:09";
    case "datetime":
      return "2024-05-06T07:08:09.000Z";
    case "uuid":
      return "00000000-0000-4000-8000-000000000001";
    case "json":
      return { value: 1 };
    case "binary":
      return "AAE=";
    case "enum":
      return column.options?.[0]?.value;
    case "reference":
      return 1;
    case "collection":
      return [1];
    default:
      return "x".repeat(Math.max(column.minLength ?? 1, 1));
  }
}

/** `refuse`: what a request that changes something is answered with, in place of a record. */
export function backEnd(refuse?: { status: number; detail: unknown }): Sent[] {
  const sent: Sent[] = [];
  vi.stubGlobal("fetch", async (address: string, options: RequestInit) => {
    const url = new URL(address, "http://localhost");
    const body = options.body === undefined ? undefined : (JSON.parse(String(options.body)) as Values);
    sent.push({ method: options.method ?? "GET", path: url.pathname.replace(/^\/api/, ""), query: url.searchParams, body });
    return refuse !== undefined && options.method !== "GET" ? answer(refuse.status, refuse) : answered(url, options.method ?? "GET", body);
  });
  return sent;
}

function answered(url: URL, method: string, body: Values | undefined): Response {
  const [route, id] = url.pathname.replace(/^\/api\//, "").split("/");
  const entity = entities.find((one) => routeOf(one) === route);
  if (entity === undefined) {
    return answer(200, {});
  }
  const record = { ...sampleOf(entity), ...body };
  if (method === "GET" && id === undefined) {
    return answer(200, { items: [record], total: 1, page: 1, page_size: 20 });
  }
  return method === "DELETE" ? new Response(null, { status: 204 }) : answer(method === "POST" ? 201 : 200, record);
}

function answer(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
}

const routes = new Map<Entity, string>();

/** Asked of the client itself: the route is not part of an entity's description. */
export function routeOf(entity: Entity): string {
  return routes.get(entity) ?? "";
}

export async function learnRoutes(): Promise<void> {
  for (const entity of entities) {
    vi.stubGlobal("fetch", async (address: string) => {
      routes.set(entity, address.replace(/^\/api\//, "").split("?")[0] ?? "");
      return answer(200, { items: [], total: 0, page: 1, page_size: 20 });
    });
    await entity.records.list();
  }
}

/** What Vue and the browser complain about fails a test. */
export function complaints(): string[] {
  const told: string[] = [];
  for (const level of ["warn", "error"] as const) {
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => void told.push(parts.map(String).join(" ")));
  }
  return told;
}

export function mounted(component: Component, props: Values, plugins: Plugin[] = []) {
  const host = document.createElement("div");
  document.body.append(host);
  const app = createApp(component, props);
  plugins.forEach((plugin) => app.use(plugin));
  app.mount(host);
  return {
    host,
    remove: () => {
      app.unmount();
      host.remove();
    },
  };
}

/** Ends what a test has left: a message that closes later by itself would miss the window of the tests. */
export async function cleared(): Promise<void> {
  vi.restoreAllMocks();
  ElMessage.closeAll();
  await until(() => {
    if (document.querySelector(".el-message") !== null) {
      throw new Error("a message is shown");
    }
  });
  document.body.replaceChildren();
}

/** Waits until the check passes; how long that takes depends on the machine. */
export function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 30_000 });
}

/** Waits until nothing of the page is on the way. */
export async function loaded(host: HTMLElement): Promise<void> {
  await until(() => {
    if (host.querySelector("[aria-busy]") === null || host.querySelector("[aria-busy=true]") !== null) {
      throw new Error("the page is on the way");
    }
  });
}
