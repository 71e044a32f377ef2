// The credential, shared by the open tabs of this page: whoever logs in or enters a key does so once. It is kept in
// the storage of the tabs, so it is gone when the last of them is closed.

import { forTab } from "./storage.js";

const NAMES = ["key", "session"];
const PATIENCE = 300; // milliseconds that a new tab waits for an answer of the others
const channel = "BroadcastChannel" in globalThis && new BroadcastChannel(`gencode ${new URL(document.baseURI).pathname}`);
let heirs = []; // told when another tab gives its credential

export const kept = (name) => forTab.get(name);

/** Keeps the value here and in the other tabs; null removes it. */
export function keepShared(name, value) {
  forTab.set(name, value);
  if (channel) channel.postMessage({ given: { [name]: value } });
}

/** Asks the other tabs for their credential; whether this tab then has one. */
export function inherit() {
  if (!channel) return Promise.resolve(false);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE);
    heirs.push(() => {
      clearTimeout(timer);
      resolve(NAMES.some(kept));
    });
    channel.postMessage({ asked: true });
  });
}

function onMessage({ data }) {
  const own = Object.fromEntries(NAMES.filter(kept).map((name) => [name, kept(name)]));
  if (data.asked && Object.keys(own).length) channel.postMessage({ given: own });
  if (!data.given) return;
  for (const name of NAMES) if (name in data.given) forTab.set(name, data.given[name]);
  const told = heirs;
  heirs = [];
  for (const tell of told) tell();
}

if (channel) channel.addEventListener("message", onMessage);
