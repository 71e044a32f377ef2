// The field by which files are uploaded: each is sent as soon as it is chosen.

import { request, unique } from "../api.js";
import { h } from "../dom.js";
import { t } from "../words.js";
import { refuse } from "./resource.js";

/**
 * @param path     the files are sent to, below the API
 * @param several  more than one file may be chosen
 * @param done     is called with the last row that the service made of them, when all are sent
 */
export function uploadField(path, { several = false, done }) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const file = h("input", { type: "file", id: "upload", multiple: several, accept: ".txt,.md,.pdf,.doc,.docx" });

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
  const label = t(several ? "uploadFiles" : "uploadFile");
  return h("div", { class: "field" }, h("label", { for: "upload" }, label), file, h("small", {}, t("uploadHint")), trouble);
}
