// A new blueprint: of requirements (a task makes it), or an empty one.

import { post, unique } from "../../api.js";
import { modelSelect, rowSelect } from "../../choices.js";
import { attend, choice, labelled, mark, text } from "../../controls.js";
import { fill, h } from "../../dom.js";
import { t } from "../../words.js";
import { keepEdits } from "../kept_form.js";
import { heading, refuse } from "../resource.js";
import { documentChoice } from "./document_choice.js";

const WAYS = ["requirements", "empty"];

export function creation(box) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const documents = documentChoice();
  const button = h("button", { class: "button primary" });
  const parts = { requirements: ofRequirements(documents), empty: [] };
  const sections = Object.fromEntries(WAYS.map((way) => [way, h("div", { class: "form" }, ...parts[way])]));
  const form = h(
    "form",
    { class: "form", novalidate: true },
    labelled("name", t("rowName"), t("bpNewNameHint"), text("")),
    labelled("project_id", t("bpProject"), t("bpProjectHint"), rowSelect("projects", t("bpOwn"))),
    labelled("way", t("bpWay"), "", choice(WAYS.map((way) => [way, t("bpWays")[way]]))),
    ...WAYS.map((way) => sections[way]),
    h("div", { class: "send" }, button, trouble),
  );
  const kept = keepEdits(form, "blueprints/new", null, () => creation(box));
  if (kept.notice) form.prepend(kept.notice);
  form.addEventListener("input", (event) => {
    mark(form, event.target.name, "");
    arrange();
  });
  const back = h("a", { class: "button quiet", href: "#/workspace/blueprints" }, t("blueprints"));
  fill(box, heading(t("bpNew"), back), form);
  arrange();
  let sent = null;

  function arrange() {
    const way = form.elements.way.value;
    for (const one of WAYS) sections[one].hidden = one !== way;
    button.textContent = t("bpStart")[way];
  }

  form.onsubmit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    const way = form.elements.way.value;
    if (way === "empty") mark(form, "name", form.elements.name.value.trim() ? "" : t("required"));
    if (attend(form)) return;
    button.disabled = true;
    try {
      await SENDERS[way](form, { documents, keyOf });
      kept.forget();
    } catch (error) {
      refuse(form, trouble, error);
    }
    button.disabled = false;
  };

  /** The same for the same request: sending again after a lost connection is no second one. */
  function keyOf(body) {
    const said = JSON.stringify(body);
    if (sent?.said !== said) sent = { said, key: unique() };
    return { "Idempotency-Key": sent.key };
  }
}

const ofRequirements = (documents) => [
  labelled("text", t("bpRequirements"), t("bpRequirementsHint"), h("textarea", { rows: 10 })),
  documents.element,
  labelled("model", t("model"), t("answerModelHint"), modelSelect()),
];

const common = ({ elements }) => {
  const [name, project] = [elements.name.value.trim(), elements.project_id.value];
  return { ...(name ? { name } : {}), ...(project ? { project_id: project } : {}) };
};

const SENDERS = {
  async requirements(form, { documents, keyOf }) {
    const { text: said, model } = form.elements;
    const body = { ...common(form), text: said.value, requirement_ids: documents.chosen(), ...(model.value ? { model: model.value } : {}) };
    const { task_id: id } = await post("pipelines/blueprint", body, keyOf(body));
    location.hash = `#/task/${id}`;
  },
  async empty(form) {
    const { id } = await post("blueprints", common(form));
    location.hash = `#/workspace/blueprints/${id}`;
  },
};
