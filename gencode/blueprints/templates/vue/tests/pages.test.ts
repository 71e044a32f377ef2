/** Every page opens, and shows what the back end has. */

import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createMemoryHistory } from "vue-router";

import App from "@/App.vue";
import { texts } from "@/records/texts";
import { makeRouter, menu, routes } from "@/router";

import { backEnd, cleared, complaints, learnRoutes, mounted, until } from "./support";

let told: string[];
beforeAll(learnRoutes);
beforeEach(() => {
  told = complaints();
});
afterEach(cleared);

async function opened(path: string) {
  const router = makeRouter(createMemoryHistory());
  await router.push(path);
  await router.isReady();
  return { router, ...mounted(App, {}, [router]) };
}

const pages = routes.filter((route) => route.name !== undefined);

describe.each(pages.map((route) => ({ path: route.path, route })))("$path", ({ path, route }) => {
  it("opens", async () => {
    backEnd();
    const { host, router, remove } = await opened(path.replace(/:[A-Za-z0-9_]+/g, "1"));
    expect(router.currentRoute.value.name).toBe(route.name);
    await until(() => expect(host.querySelector("h1")).not.toBeNull());
    await until(() => expect(host.querySelector("[aria-busy=true]")).toBeNull());
    expect(host.querySelector("[role=alert]")).toBeNull();
    remove();
    expect(told).toEqual([]);
  });
});

it("has a menu whose entries are pages", async () => {
  const router = makeRouter(createMemoryHistory());
  for (const item of menu) {
    expect(router.resolve(item.path).name, item.path).toBeDefined();
  }
});

it("tells that a page does not exist", async () => {
  backEnd();
  const { host, remove } = await opened("/no/such/page/at/all");
  await until(() => expect(host.textContent).toContain(texts.noPage));
  remove();
});
