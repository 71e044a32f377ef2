// The tab of the proposals: changes that a task has made of further requirements, to be accepted or rejected.

import { get, post, request } from "../../api.js";
import { modelSelect } from "../../choices.js";
import { labelled } from "../../controls.js";
import { announce, fill, h } from "../../dom.js";
import { dated, t } from "../../words.js";
import { keepEdits } from "../kept_form.js";
import { refuse, said } from "../resource.js";
import { differenceOf } from "./difference.js";
import { documentChoice } from "./document_choice.js";

/** `chosen`: the id of a proposal. */
export function proposalsTab(draft, chosen, { address, go }) {
  const rows = h("ul", { class: "element-list", "aria-label": t("bpTabs").proposals });
  const words = h("p", { class: "note" }, t("loading"));
  const shown = h("div", {});
  const element = h("div", { class: "stack" }, h("h2", {}, t("bpTabs").proposals), words, rows, shown, draft.isOpen && parsing(draft));

  async function load() {
    try {
      const { items } = await get(`${draft.path}/proposals?limit=100`);
      fill(rows, ...items.map((one) => item(one, chosen, address)));
      words.hidden = items.length > 0;
      words.textContent = t("bpNoProposals");
      const current = items.find(({ id }) => id === chosen) || items.find(({ status }) => status === "pending");
      if (current) await show(current.id);
    } catch (error) {
      words.hidden = false;
      words.textContent = said(error);
    }
  }

  async function show(id) {
    const proposal = await get(`${draft.path}/proposals/${id}`);
    fill(shown, detail(draft, proposal, { address, go, reload: load }));
  }
  load();
  return { element, update() {}, keepsOpen: true };
}

function item(one, chosen, address) {
  const words = [t("bpProposalStates")[one.status], t("bpChangeCount", one.changes)];
  return h(
    "li",
    {},
    h("a", { href: address("proposals", one.id), "aria-current": one.id === chosen ? "true" : null }, `${t("bpProposed")} · ${dated(one.created_at)}`),
    h("span", { class: "row-note" }, words.join(" · ")),
  );
}

function detail(draft, proposal, { address, go, reload }) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const { operations } = proposal.difference;
  const isOpen = proposal.status === "pending" && draft.isOpen;
  const decide = async (verb) => {
    trouble.replaceChildren();
    try {
      const headers = verb === "accept" ? { "If-Match": draft.tag } : {};
      await request(`${draft.path}/proposals/${proposal.id}/${verb}`, { method: "POST", headers });
      announce(t(verb === "accept" ? "bpAccepted" : "bpRejected"));
      if (verb !== "accept") return await reload();
      await draft.reload(false);
      go("models");
    } catch (error) {
      refuse(null, trouble, error);
    }
  };
  const accept = h("button", { type: "button", class: "button primary", onclick: () => decide("accept") }, t("bpAccept"));
  const reject = h("button", { type: "button", class: "button", onclick: () => decide("reject") }, t("bpReject"));
  accept.disabled = draft.isDirty || !proposal.is_current;
  return h(
    "section",
    { class: "card", "aria-labelledby": "proposal-title" },
    h("h3", { id: "proposal-title" }, t("bpProposed")),
    h("p", { class: "note" }, t("bpProposalFindings", proposal.errors, proposal.warnings)),
    h("div", { class: "stack tight difference" }, ...differenceOf(draft.spec, operations, address)),
    isOpen && !proposal.is_current && h("p", { class: "note" }, t("bpProposalOld")),
    isOpen && draft.isDirty && h("p", { class: "note" }, t("bpSaveOrDiscardFirst")),
    isOpen && h("div", { class: "buttons" }, accept, reject),
    trouble,
  );
}

/** Asks for a proposal, from further requirements. */
function parsing(draft) {
  const trouble = h("div", { class: "trouble", role: "alert" });
  const documents = documentChoice();
  const button = h("button", { class: "button" }, t("bpPropose"));
  const form = h(
    "form",
    { class: "form", novalidate: true },
    labelled("text", t("bpFurther"), t("bpFurtherHint"), h("textarea", { rows: 4 })),
    documents.element,
    labelled("model", t("model"), t("bpModelHint"), modelSelect()),
    h("div", { class: "buttons" }, button),
    trouble,
  );
  const kept = keepEdits(form, `${draft.key}/parse`, null, () => form.reset());
  form.onsubmit = async (event) => {
    event.preventDefault();
    trouble.replaceChildren();
    button.disabled = true;
    const { text, model } = form.elements;
    const body = { text: text.value, requirement_ids: documents.chosen(), ...(model.value ? { model: model.value } : {}) };
    try {
      const { task_id: id } = await post(`${draft.path}/parse`, body);
      kept.forget();
      location.hash = `#/task/${id}`;
    } catch (error) {
      refuse(form, trouble, error);
      button.disabled = false;
    }
  };
  return form;
}
