// What went wrong where no view says it: told at the foot of the page, with what to do.

import { Problem, Unreachable } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { advice } from "./kinds.js";
import { t } from "./words.js";

const place = h("div", { class: "unexpected", role: "alert", hidden: true });

/** Tells refusals of the service that no code has caught. Faults of the page itself stay in the console. */
export function tellUnexpected() {
  document.body.append(place);
  addEventListener("unhandledrejection", (event) => {
    const words = wordsOf(event.reason);
    if (!words) return;
    event.preventDefault();
    const close = h("button", { type: "button", class: "button quiet", "aria-label": t("close"), onclick: () => (place.hidden = true) }, icon("cross"));
    fill(place, h("p", {}, ...words), close);
    place.hidden = false;
  });
}

function wordsOf(error) {
  if (error instanceof Unreachable) return [t("unreachable")];
  if (error instanceof Problem) return [h("code", {}, error.code), ` ${error.message} ${advice(error.code)}`];
  return null;
}
