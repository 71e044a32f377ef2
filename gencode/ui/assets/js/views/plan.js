// The card of a task that waits for approval: a plan that can be edited first, or a question of another kind.

import { get, post, put as send } from "../api.js";
import { h, icon, put } from "../dom.js";
import { forTab } from "../storage.js";
import { isGenerate } from "../task.js";
import { dated, money, number, t } from "../words.js";
import { act } from "./outcome.js";

export const approvalCard = (follow) =>
  isGenerate(follow.task.kind) ? planCard(follow) : questionCard(follow);

const deadline = ({ approve_by: moment }) =>
  moment && h("p", { class: "note" }, t("approveBy", dated(moment)));

/** For kinds without a plan: the message in the head is the question, and there is nothing to edit. */
function questionCard({ address, task }) {
  const approve = h(
    "button",
    { class: "button primary", onclick: () => act(approve, () => post(`${address}/approve`), task.kind) },
    t("approveTask"),
  );
  return h(
    "section",
    { class: "card paused", "aria-labelledby": "approve-title" },
    h("h2", { id: "approve-title" }, t("approveTitle")),
    deadline(task.pause),
    h("div", { class: "buttons" }, approve),
  );
}

/** What writing the files will probably cost. */
function estimateOf({ prompt_tokens: said, completion_tokens: { low, high }, cost }) {
  const range = t("planEstimate", number(said + low), number(said + high));
  return range + (cost ? t("estimateCost", money(cost.low), money(cost.high)) : t("estimateNoPrice"));
}

/** What the model planned and is not written, why, and which files were to use it. */
function leftOutOf(entries) {
  if (!entries.length) return [];
  const items = entries.map(({ path, reason, needed_by: users }) =>
    h("li", {}, h("code", {}, path), ` ${leftOutReason(reason)}${users.length ? t("leftOutUsers", users) : ""}`),
  );
  return [h("h3", {}, t("leftOut")), h("ul", { class: "left-out" }, ...items)];
}

const leftOutReason = (reason) => t("leftOutReasons")[reason] || reason;

/** Loads the plan. */
function planCard(follow) {
  const rows = h("ol", { class: "plan-rows" });
  const approve = h("button", { class: "button primary", disabled: true, onclick: () => act(approve, decide) });
  const why = h("p", { class: "note", id: "plan-why", role: "status" }, t("loading"));
  approve.setAttribute("aria-describedby", "plan-why");
  const addFile = h(
    "button",
    { class: "button", type: "button", disabled: true, onclick: () => add({ path: "", purpose: "" }, "", "", true) },
    icon("plus"),
    t("planAdd"),
  );
  const undo = h("button", { class: "button quiet", type: "button", hidden: true, onclick: discard }, t("planUndo"));
  const lead = h("p", {}, t("planLead"));
  const estimate = h("p", { class: "note", id: "plan-estimate" });
  const leftOut = h("div", { id: "plan-left-out" });
  const element = h(
    "section",
    { class: "card paused", "aria-labelledby": "plan-title" },
    h("h2", { id: "plan-title" }, t("planTitle")),
    lead,
    deadline(follow.task.pause),
    estimate,
    rows,
    leftOut,
    h(
      "div",
      { class: "buttons" },
      approve,
      addFile,
      undo,
      why,
    ),
  );
  const { address } = follow;
  const kept = draftOf(follow.id);
  let revision = 0; // of the plan that is seen here: another that somebody made meanwhile is not approved
  let before = "";
  let files = []; // {was, file, path, purpose}: the entry as it came, and its fields

  async function load() {
    try {
      const plan = await get(`${address}/plan`);
      revision = plan.revision;
      show(plan.files.map((file) => ({ file, path: file.path, purpose: file.purpose })));
      before = JSON.stringify(edited());
      const mine = kept.read(revision);
      if (mine) show(mine);
      put(estimate, plan.estimate ? estimateOf(plan.estimate) : "");
      leftOut.replaceChildren(...leftOutOf(plan.left_out || []));
      addFile.disabled = false; // before, the list that arrives would replace the row
      count();
    } catch (error) {
      lead.textContent = error.message;
    }
  }

  function show(entries) {
    rows.replaceChildren();
    files = [];
    for (const { file, path, purpose } of entries) add(file, path, purpose);
  }

  async function discard() {
    kept.forget();
    await load();
    approve.focus();
  }

  function add(file, path, purpose, focus = false) {
    const entry = {
      was: file.path,
      file,
      path: h("input", { value: path, spellcheck: "false", autocapitalize: "none" }),
      purpose: h("input", { value: purpose }),
    };
    const remove = h("button", { class: "button quiet", type: "button" }, icon("bin"));
    const row = h("li", {}, entry.path, entry.purpose, remove);
    remove.addEventListener("click", () => {
      const next = row.nextElementSibling || row.previousElementSibling;
      files = files.filter((other) => other !== entry);
      row.remove();
      changed();
      (next?.querySelector("button") || approve).focus();
    });
    for (const input of [entry.path, entry.purpose]) input.addEventListener("input", changed);
    files.push(entry);
    Object.assign(entry, { remove });
    rows.append(row);
    if (focus) {
      changed();
      entry.path.focus();
    }
  }

  /** The edited list is kept, so that a reload does not lose it. */
  function changed() {
    const list = files.map(({ file, path, purpose }) => ({ file, path: path.value, purpose: purpose.value }));
    kept.write(revision, list);
    count();
  }

  /** Names and numbers, which change with the list. */
  function count() {
    files.forEach(({ path, purpose, remove }, index) => {
      path.setAttribute("aria-label", t("planPathOf", index + 1));
      path.placeholder = t("planPath");
      purpose.setAttribute("aria-label", t("planPurposeOf", index + 1));
      purpose.placeholder = t("planPurpose");
      remove.setAttribute("aria-label", t("planRemove", path.value));
      remove.title = t("planRemove", path.value);
    });
    approve.textContent = t("planApprove", files.length);
    const fault = faultOf(files);
    approve.disabled = Boolean(fault);
    put(why, fault);
    undo.hidden = JSON.stringify(edited()) === before;
  }

  /** The list as it stands. What others need follows a path that was changed, and forgets one that is gone. */
  function edited() {
    const now = new Map(files.map(({ was, path }) => [was, path.value.trim()]));
    return files.map(({ file, path, purpose }) => ({
      ...file,
      path: path.value.trim(),
      purpose: purpose.value.trim(),
      needs: (file.needs || []).filter((need) => now.has(need)).map((need) => now.get(need)),
    }));
  }

  async function decide() {
    try {
      await change();
    } catch (error) {
      if (error.code === "PLAN_CHANGED") await load();
      throw error;
    }
  }

  async function change() {
    const list = edited();
    const unchanged = () => ({ "If-Match": `"${revision}"` });
    if (JSON.stringify(list) !== before)
      ({ revision } = await send(`${address}/plan`, { files: list }, unchanged()));
    before = JSON.stringify(list);
    await post(`${address}/approve`, undefined, unchanged());
    kept.forget();
  }

  load();
  return element;
}

/** Why the plan cannot be approved as it stands, or "". */
function faultOf(files) {
  if (!files.length) return t("planNoFiles");
  const at = files.findIndex(({ path }) => !path.value.trim());
  return at < 0 ? "" : t("planNoPath", at + 1);
}

/** The edits of this task's plan that this tab keeps, for the revision that they were made of. */
function draftOf(id) {
  const name = `plan.${id}`;
  return {
    read(revision) {
      const kept = JSON.parse(forTab.get(name) || "null");
      return kept?.revision === revision ? kept.files : null;
    },
    write: (revision, files) => forTab.set(name, JSON.stringify({ revision, files })),
    forget: () => forTab.set(name, null),
  };
}
