// A list of elements. A long one scrolls by itself, and a field above it restricts it to what is typed.

import { fill, h } from "../../dom.js";
import { t } from "../../words.js";

const FEW = 12; // elements that are seen at a glance

/** @returns {element, update(items)}: `items` are the `li` elements to show, one of them with an [aria-current]. */
export function filteredList(tag, label) {
  const rows = h(tag, { class: `element-list${tag === "ol" ? " ordered" : ""}`, "aria-label": label });
  const field = h("input", { type: "search", autocomplete: "off", placeholder: t("bpFilter"), "aria-label": t("bpFilterOf", label) });
  const words = h("p", { class: "note", role: "status" });
  const element = h("div", { class: "stack tight" }, field, rows, words);
  let isRevealed = false;
  field.addEventListener("input", restrict);

  function update(items) {
    fill(rows, ...items);
    field.hidden = items.length <= FEW;
    rows.classList.toggle("long", items.length > FEW);
    restrict();
    if (!isRevealed) reveal();
    isRevealed = true;
  }

  function restrict() {
    const wanted = field.hidden ? "" : field.value.trim().toLowerCase();
    for (const row of rows.children) row.hidden = !row.textContent.toLowerCase().includes(wanted);
    words.textContent = wanted && [...rows.children].every((row) => row.hidden) ? t("nothingFound") : "";
  }

  /** Scrolls to the current one, and moves nothing but the list. */
  function reveal() {
    const current = rows.querySelector("[aria-current]")?.closest("li");
    if (current) rows.scrollTop = current.offsetTop - rows.offsetTop - rows.clientHeight / 2;
  }

  return { element, update };
}
