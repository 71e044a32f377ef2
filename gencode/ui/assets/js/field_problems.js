// What is wrong with a field, in the page's language.

import { t } from "./words.js";

const BY_PATTERN = "string_pattern_mismatch";

/** `rule` and `message`: as the service says them. Its words stand where the page has none for the rule. */
export function problemOf({ rule, message }) {
  const isOwn = rule === BY_PATTERN && !message.includes("match pattern"); // a message made for that field
  const text = !isOwn && Object.hasOwn(t("fieldRules"), rule) && t("fieldRules")[rule];
  return text ? text(/\d+/.exec(message)?.[0]) : message;
}
