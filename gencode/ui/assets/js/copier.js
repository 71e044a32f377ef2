// The button that copies a text.

import { copy, h, icon } from "./dom.js";
import { t } from "./words.js";

/** `name`: what screen readers hear of the text. */
export function copier(text, name = text) {
  const words = h("span", {}, t("copy"));
  const take = async () => {
    await copy(text);
    words.textContent = t("copied");
    setTimeout(() => (words.textContent = t("copy")), 1500);
  };
  return h("button", { type: "button", class: "button", "aria-label": `${t("copy")}: ${name}`, onclick: take }, icon("copy"), words);
}
