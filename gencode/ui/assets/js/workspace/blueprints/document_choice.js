// Which requirement documents count, as ticks.

import { get } from "../../api.js";
import { fill, h } from "../../dom.js";
import { t } from "../../words.js";
import { uploadField } from "../upload.js";

/** @returns {element, chosen()}: the ids of the ticked documents. Those that are uploaded here are ticked. */
export function documentChoice() {
  const ticks = h("div", { class: "stack tight" });
  const chosen = new Set();

  async function load() {
    const { items } = await get("requirements?limit=50");
    fill(ticks, ...items.map((row) => tick(row)));
  }

  function tick(row) {
    const box = h("input", { type: "checkbox", value: row.id });
    box.checked = chosen.has(row.id);
    box.addEventListener("change", () => (box.checked ? chosen.add(row.id) : chosen.delete(row.id)));
    return h("label", { class: "tick" }, box, h("span", {}, row.name, h("small", {}, t("documentStates")[row.status])));
  }

  const upload = uploadField("requirements/upload", {
    done: (row) => {
      chosen.add(row.id);
      load().catch(() => {});
    },
  });
  load().catch(() => {}); // without them, the text alone counts
  const element = h("details", {}, h("summary", {}, t("bpDocuments")), h("div", { class: "stack tight" }, ticks, upload));
  return { element, chosen: () => [...chosen] };
}
