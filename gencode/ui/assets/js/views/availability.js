// Whether the name of the repository is free at its host, said below the field while the user types.

import { get } from "../api.js";
import { mark } from "../controls.js";
import { h, put } from "../dom.js";
import { t } from "../words.js";
import { valid } from "./fields.js";

const PAUSE = 600; // milliseconds without a keystroke, after which the host is asked
export const PLACE = ["repo_name", "host", "github_org"];

export function availability(form) {
  const field = form.elements.namedItem("repo_name");
  const told = h("p", { class: "note available", id: "repo_name-available", role: "status" });
  field.after(told);
  let timer = null;
  let asked = 0;

  /** Asks for the name that stands in the field, after a pause. */
  function ask() {
    clearTimeout(timer);
    asked += 1;
    put(told, "");
    if (valid(field.value.trim())) timer = setTimeout(look, PAUSE);
  }

  async function look() {
    const turn = asked;
    const given = PLACE.map((name) => [name, form.elements.namedItem(name).value.trim()]);
    try {
      const found = await get(`repository-name?${new URLSearchParams(given.filter(([, value]) => value))}`);
      if (turn === asked) tell(found, field.value.trim());
    } catch {
      // It is not known; the task will say so.
    }
  }

  function tell({ availability: state, field: refused, message }, name) {
    put(told, state === "free" ? t("nameFree") : "");
    if (state === "taken") mark(form, "repo_name", t("nameTaken", numbered(name)));
    if (state === "refused") mark(form, refused, message);
  }

  return { ask, stop: () => clearTimeout(timer) };
}

/** The name with the next number after it. */
function numbered(name) {
  const found = /^(.*)-(\d{1,4})$/.exec(name);
  return found ? `${found[1]}-${Number(found[2]) + 1}` : `${name}-2`;
}
