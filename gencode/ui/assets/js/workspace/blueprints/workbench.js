// One blueprint: its tabs, what is not saved, and the findings. The address names the tab and the element, so a link
// leads to it, and a reload shows it again.

import { Problem, request } from "../../api.js";
import { announce, fill, h, icon } from "../../dom.js";
import { t } from "../../words.js";
import { freeze } from "../form.js";
import { heading, refuse, said, sure } from "../resource.js";
import { apisTab } from "./apis.js";
import { applicationTab } from "./application.js";
import { buildTab } from "./build.js";
import { Draft } from "./draft.js";
import { entitiesTab } from "./entities.js";
import { fillSlots } from "./finding_slots.js";
import { findingsTab, formOf } from "./findings_tab.js";
import { flowsTab } from "./flows.js";
import { pagesTab } from "./pages.js";
import { proposalsTab } from "./proposals.js";
import { versionsTab } from "./versions.js";

const TABS = {
  models: entitiesTab,
  pages: pagesTab,
  apis: apisTab,
  flows: flowsTab,
  application: applicationTab,
  findings: findingsTab,
  proposals: proposalsTab,
  versions: versionsTab,
  build: buildTab,
};
const PAUSE = 150; // milliseconds without an edit, after which lists and diagram show it
const DOCUMENT_TABS = ["models", "pages", "apis", "flows", "application"];

/** Shows the blueprint `#/workspace/blueprints/ID/TAB/ELEMENT`; gives what shows another tab or element of it. */
export async function workbench(box, id, tab, element) {
  let draft;
  let isLeft = false; // while it was loaded
  box.addEventListener("leave", () => (isLeft = true));
  try {
    draft = await Draft.load(id);
  } catch (error) {
    fill(box, heading(t("blueprints")), h("p", { class: "note" }, said(error)));
    return null;
  }
  if (isLeft) return draft.close();
  return new Workbench(box, draft).open(tab, element);
}

class Workbench {
  constructor(box, draft) {
    Object.assign(this, { box, draft, tab: null, chosen: null, view: null });
    this.address = (tab, element) =>
      ["#/workspace/blueprints", draft.row.id, tab, element].filter(Boolean).map((part, at) => (at ? encodeURIComponent(part) : part)).join("/");
    this.go = (tab, element) => {
      const address = this.address(tab, element);
      if (location.hash === address) this.show(tab, element);
      else location.hash = address;
    };
    this.head = h("div", {});
    this.notice = h("div", { class: "notices" });
    this.tabs = h("nav", { class: "tabs inner", "aria-label": t("bpParts") });
    this.place = h("div", { class: "blueprint-tab", id: "blueprint-tab", tabindex: "-1" });
    this.bar = this.#bar();
    draft.addEventListener("edited", () => this.#later());
    draft.addEventListener("findings", () => (this.#found(), this.view.update()));
    draft.addEventListener("redraw", ({ detail }) => this.#redraw(detail));
    box.addEventListener("keydown", (event) => this.#key(event));
    box.addEventListener("leave", () => (clearTimeout(this.timer), draft.close()));
  }

  open(tab, element) {
    fill(this.box, this.head, this.notice, this.tabs, this.place, this.bar);
    this.show(tab, element);
    return (otherTab, other) => this.#move(otherTab, other);
  }

  show(tab, element) {
    this.tab = Object.hasOwn(TABS, tab) ? tab : "models";
    this.chosen = element || null;
    this.#draw();
  }

  /** Another tab or element was opened: the focus goes to what is shown of it. */
  #move(tab, element) {
    this.show(tab, element);
    const target = this.place.querySelector("#element-title") || this.place;
    target.focus({ preventScroll: target === this.place });
  }

  #draw() {
    this.view = TABS[this.tab](this.draft, this.chosen, { address: this.address, go: this.go });
    fill(this.place, this.view.element);
    if (!this.draft.isOpen && DOCUMENT_TABS.includes(this.tab)) freeze(this.place);
    document.title = `${this.draft.row.name} · gencode`;
    this.#found();
    this.#edited();
  }

  /** Of a large blueprint, lists and diagram take longer than the time between two letters. */
  #later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#edited(), PAUSE);
  }

  /** Draws the tab again, and puts the focus where the edit wants it, or back. */
  #redraw(focus) {
    if (this.view.keepsOpen) return this.#found(), this.#edited();
    const id = focus || (this.place.contains(document.activeElement) ? document.activeElement.id : null);
    this.#draw();
    if (id) (document.getElementById(id) || this.place).focus();
  }

  #edited() {
    clearTimeout(this.timer);
    const { draft } = this;
    const { row } = draft;
    const words = [row.version_tag, row.is_draft ? t("bpDraft") : t("bpVersion")].join(" · ");
    const back = h("a", { class: "button quiet", href: "#/workspace/blueprints" }, t("blueprints"));
    if (this.head.dataset.told !== row.name + words)
      fill(this.head, heading(row.name, back, draft.may.remove && this.#removal()), h("p", { class: "note" }, words, !draft.isOpen && ` · ${t(row.is_draft ? "readOnly" : "bpClosed")}`));
    this.head.dataset.told = row.name + words;
    this.bar.hidden = !draft.isOpen || !draft.isDirty;
    this.undoButton.hidden = !draft.undone.length;
    fill(this.notice, draft.isOpen && draft.isDirty && draft.isOlder && this.#conflict());
    this.view.update();
  }

  #found() {
    const { draft } = this;
    this.#links(draft.findings.length);
    fillSlots(this.place, draft);
    this.state.textContent = draft.problem instanceof Problem ? formOf(draft) : t("bpUnsaved");
  }

  /** The links of the tabs, which stay while they are the same: one of them may have the focus. */
  #links(count) {
    const told = `${this.tab} ${count}`;
    if (this.tabs.dataset.told === told) return;
    this.tabs.dataset.told = told;
    fill(
      this.tabs,
      ...Object.keys(TABS).map((tab) =>
        h(
          "a",
          { href: this.address(tab), "aria-current": tab === this.tab ? "page" : null },
          t("bpTabs")[tab],
          tab === "findings" && count > 0 && ` (${count})`,
        ),
      ),
    );
  }

  #bar() {
    this.state = h("p", { class: "note", role: "status" });
    this.trouble = h("div", { class: "trouble", role: "alert" });
    this.undoButton = h("button", { type: "button", class: "button", onclick: () => this.draft.undo() }, t("bpUndo"));
    const save = h("button", { type: "button", class: "button primary", id: "save-blueprint", "aria-keyshortcuts": "Control+S", onclick: () => this.#save() }, t("save"));
    const discard = h("button", { type: "button", class: "button", onclick: () => this.draft.discard() }, t("discardEdits"));
    return h("div", { class: "save-bar" }, this.state, h("div", { class: "buttons" }, save, this.undoButton, discard), this.trouble);
  }

  #key(event) {
    if (event.key !== "s" || !(event.ctrlKey || event.metaKey) || !this.draft.isOpen) return;
    event.preventDefault();
    if (this.draft.isDirty) this.#save();
  }

  async #save() {
    this.trouble.replaceChildren();
    try {
      await this.draft.save();
      announce(t("saved"));
      this.place.focus({ preventScroll: true });
    } catch (error) {
      if (error.status !== 412) return refuse(null, this.trouble, error);
      fill(this.trouble, this.#conflict(error.code));
    }
  }

  /** What to do when somebody else has saved meanwhile. */
  #conflict(code = "") {
    const take = (withEdits) => async () => {
      this.trouble.replaceChildren();
      try {
        await this.draft.reload(withEdits);
        if (withEdits) await this.#save();
      } catch (error) {
        refuse(null, this.trouble, error);
      }
    };
    return h(
      "div",
      { class: "notice" },
      icon("warn"),
      h("div", {}, h("p", {}, code && h("code", {}, code), code && " ", t("bpConflict"))),
      h("button", { type: "button", class: "button", onclick: take(false) }, t("bpTakeTheirs")),
      h("button", { type: "button", class: "button", onclick: take(true) }, t("bpKeepMine")),
    );
  }

  #removal() {
    const { draft } = this;
    const remove = async () => {
      if (!(await sure(t("removeSure", draft.row.name), t("removeYes")))) return;
      try {
        await request(draft.path, { method: "DELETE" });
        announce(t("removed"));
        draft.discard();
        location.hash = "#/workspace/blueprints";
      } catch (error) {
        this.bar.hidden = false;
        refuse(null, this.trouble, error);
      }
    };
    return h("button", { type: "button", class: "button danger", onclick: remove }, t("remove"));
  }
}
