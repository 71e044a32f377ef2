// Why the stored document can be neither published nor built.

import { fill, h } from "../../dom.js";
import { t } from "../../words.js";

export const errorsOf = ({ findings }) => findings.filter(({ severity }) => severity === "error").length;

/** Says it in `place`, with a link to the findings, or `hint` if nothing stands in the way; whether something does. */
export function tellObstacle(place, draft, address, hint = "") {
  const errors = errorsOf(draft);
  const text = draft.isDirty ? t("bpSaveFirst") : errors ? t("bpErrorsFirst", errors) : hint;
  const link = !draft.isDirty && errors > 0 && h("a", { href: address("findings") }, t("bpTabs").findings);
  if (place.dataset.told !== text) fill(place, text, " ", link);
  place.dataset.told = text;
  return draft.isDirty || errors > 0;
}
