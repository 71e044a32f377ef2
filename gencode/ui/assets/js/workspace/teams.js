// What a team has besides its form: its members and what it has used of its plan; and what a project has.

import { get, request } from "../api.js";
import { attend, choice, labelled, mark, text } from "../controls.js";
import { announce, fill, h, icon } from "../dom.js";
import { dated, number, t } from "../words.js";
import { refuse, said, sure } from "./resource.js";

const LIMIT = 100;
const ROLES = ["viewer", "member", "admin"];
const OWNER = "owner";

/** The detail of a team, below its form. */
export function teamDetail(team, may) {
  return h("div", { class: "details" }, members(`teams/${team.id}`, may.change), figures(`teams/${team.id}/usage`, usage));
}

/** The detail of a project, below its form. */
export const projectDetail = (project) =>
  h("div", { class: "details" }, blueprints(project), figures(`projects/${project.id}/stats`, stats));

function blueprints(project) {
  const rows = h("ul", { class: "element-list" });
  const words = h("p", { class: "note" }, t("loading"));
  get(`projects/${project.id}/blueprints?limit=${LIMIT}`).then(
    ({ items }) => {
      const link = (row) => h("a", { href: `#/workspace/blueprints/${row.id}` }, `${row.name} ${row.version_tag}`);
      fill(rows, ...items.map((row) => h("li", {}, link(row), h("span", { class: "row-note" }, t(row.is_draft ? "bpDraft" : "bpVersion")))));
      words.hidden = items.length > 0;
      words.textContent = t("noRows");
    },
    (error) => (words.textContent = said(error)),
  );
  const title = h("h2", { id: "blueprints-title" }, t("blueprints"));
  return h("section", { "aria-labelledby": "blueprints-title" }, title, words, rows);
}

/** `isOpen`: whether one may change them; who may not sees no buttons. */
function members(path, isOpen) {
  const rows = h("ul", { class: "cards" });
  const trouble = h("div", { class: "trouble", role: "alert" });
  const load = async () => {
    try {
      const { items } = await get(`${path}/members?limit=${LIMIT}`);
      fill(rows, ...items.map((member) => item(path, member, isOpen && act)));
    } catch (error) {
      fill(trouble, h("p", {}, said(error)));
    }
  };
  /** Asks for a change, and shows the members as they are afterwards. */
  const act = async (to, options, form) => {
    trouble.replaceChildren();
    try {
      await request(to, options);
      announce(t("saved"));
      form?.reset();
    } catch (error) {
      refuse(form, trouble, error);
    }
    await load();
  };
  load();
  const title = h("h2", { id: "members-title" }, t("teamMembers"));
  return h("section", { "aria-labelledby": "members-title" }, title, rows, isOpen && invitation(path, act), trouble);
}

function item(path, member, act) {
  const to = `${path}/members/${member.id}`;
  const name = member.username || member.principal;
  const handOver = async () => {
    if (await sure(t("handOverSure", name), t("makeOwner")))
      act(`${path}/transfer`, { method: "POST", body: { member_id: member.id } });
  };
  return h(
    "li",
    { class: "card row" },
    h("div", {}, h("h3", {}, name), h("p", { class: "note" }, t("memberSince", t("teamRoles")[member.role], dated(member.joined_at)))),
    member.role === OWNER || !act
      ? null
      : h(
          "div",
          { class: "buttons" },
          roleOf(member, name, (role) => act(to, { method: "PATCH", body: { role } })),
          h("button", { class: "button", onclick: handOver }, t("makeOwner")),
          h("button", { class: "button quiet", "aria-label": t("removeMember", name), onclick: () => act(to, { method: "DELETE" }) }, icon("bin"), t("takeOut")),
        ),
  );
}

function roleOf(member, name, change) {
  const select = choice(ROLES.map((role) => [role, t("teamRoles")[role]]));
  select.value = member.role;
  select.setAttribute("aria-label", t("roleOf", name));
  select.onchange = () => change(select.value);
  return select;
}

function invitation(path, act) {
  const role = choice(ROLES.map((one) => [one, t("teamRoles")[one]]));
  role.value = "member";
  const form = h(
    "form",
    { class: "form", novalidate: true },
    labelled("username", t("usernameField"), t("memberHint"), text("")),
    labelled("role", t("role"), "", role),
    h("div", { class: "send" }, h("button", { class: "button" }, t("addMember"))),
  );
  form.addEventListener("input", (event) => mark(form, event.target.name, ""));
  form.onsubmit = (event) => {
    event.preventDefault();
    const username = form.elements.username.value.trim();
    mark(form, "username", username ? "" : t("required"));
    if (!attend(form)) act(`${path}/members`, { method: "POST", body: { username, role: role.value } }, form);
  };
  return form;
}

/** A list of names and figures, which are read from `path` and made by `rowsOf`. */
function figures(path, rowsOf) {
  const list = h("dl", { class: "figures" });
  get(path).then(
    (found) => fill(list, ...rowsOf(found).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    (error) => list.replaceWith(h("p", { class: "note" }, said(error))),
  );
  return h("section", { "aria-labelledby": "figures-title" }, h("h2", { id: "figures-title" }, t("teamUsage")), list);
}

const used = ({ used: count, limit }) => (limit === null ? number(count) : t("ofLimit", number(count), number(limit)));

const usage = (found) => [
  [t("plan"), t("plans")[found.subscription_plan]],
  [t("teamMembers"), used(found.members)],
  [t("projects"), used(found.projects)],
  [t("generationsOf", found.month), used(found.generations)],
  [t("storageMegabytes"), used(found.storage_mb)],
];

const stats = (found) =>
  [
    found.member_count !== null && [t("teamMembers"), number(found.member_count)],
    [t("generations"), number(found.generation_count)],
    [t("generationsThisMonth"), number(found.generation_count_this_month)],
    [t("storageMegabytes"), number(found.storage_used_mb)],
  ].filter(Boolean);
