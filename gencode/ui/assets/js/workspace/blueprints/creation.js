// A new blueprint.

import { post } from "../../api.js";
import { rowSelect } from "../../choices.js";
import { attend, labelled, mark, text } from "../../controls.js";
import { fill, h } from "../../dom.js";
import { t } from "../../words.js";
import { keepEdits } from "../kept_form.js";
import { heading, refuse } from "../resource.js";

export function creation(box) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const button = h("button", { class: "button primary" }, t("bpStart").empty);
  const form = h(
    "form",
    { class: "form", novalidate: true },
    labelled("name", t("rowName"), "", text("")),
    labelled("project_id", t("bpProject"), t("bpProjectHint"), rowSelect("projects", t("bpOwn"))),
    h("div", { class: "send" }, button, trouble),
  );
  const kept = keepEdits(form, "blueprints/new", null, () => creation(box));
  if (kept.notice) form.prepend(kept.notice);
  form.addEventListener("input", (event) => mark(form, event.target.name, ""));
  const back = h("a", { class: "button quiet", href: "#/workspace/blueprints" }, t("blueprints"));
  fill(box, heading(t("bpNew"), back), form);

  form.onsubmit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    const [name, project] = [form.elements.name.value.trim(), form.elements.project_id.value];
    mark(form, "name", name ? "" : t("required"));
    if (attend(form)) return;
    button.disabled = true;
    try {
      const { id } = await post("blueprints", { name, ...(project ? { project_id: project } : {}) });
      kept.forget();
      location.hash = `#/workspace/blueprints/${id}`;
    } catch (error) {
      refuse(form, trouble, error);
      button.disabled = false;
    }
  };
}
