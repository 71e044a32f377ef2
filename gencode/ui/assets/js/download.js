// Links to files of the service.

import { address, credential, request } from "./api.js";
import { h, icon } from "./dom.js";

/** A link. A link cannot send a credential, so with a key the file is fetched and then saved by the browser. */
export function downloadLink(path, name, text) {
  async function fetched(event) {
    if (!credential()) return;
    event.preventDefault();
    const url = URL.createObjectURL(await (await request(path)).blob());
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }
  return h("a", { class: "button", href: address(path), download: name, onclick: fetched }, icon("download"), text);
}
