// The field by which files are uploaded: each is sent as soon as it is chosen.

import { request, unique } from "../api.js";
import { h } from "../dom.js";
import { t } from "../words.js";
import { refuse } from "./resource.js";

const DOCUMENTS = ".txt,.md,.pdf,.doc,.docx";

/** What says that a field takes the archive of a template set. */
export const uploadedSet = () => ({ label: t("uploadSet"), hint: t("uploadSetHint"), accept: ".zip" });

/**
 * @param path     the files are sent to, below the API
 * @param several  more than one file may be chosen
 * @param label    what the field is called; `hint`: which files it takes; `accept`: their endings
 * @param done     is called with the last row that the service made of them, when all are sent
 */
export function uploadField(path, { several = false, label = t("uploadFile"), hint = t("uploadHint"), accept = DOCUMENTS, done }) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const file = h("input", { type: "file", id: "upload", multiple: several, accept });

  async function send(one) {
    const body = new FormData();
    body.append("file", one);
    try {
      const answer = await request(path, { method: "POST", body, headers: { "Idempotency-Key": unique() } });
      return await answer.json();
    } catch (error) {
      const told = h("div", {}, h("p", {}, one.name));
      const why = h("div", {});
      refuse(null, why, error);
      told.append(why);
      trouble.append(told);
      return null;
    }
  }

  file.onchange = async () => {
    trouble.replaceChildren();
    let row = null;
    for (const one of file.files) row = (await send(one)) || row;
    file.value = "";
    if (row) done(row);
  };
  return h("div", { class: "field" }, h("label", { for: "upload" }, label), file, h("small", {}, hint), trouble);
}
