// A blueprint that is looked at and edited: what is stored, the edits that are not saved, and the findings.
//
// Edits are kept in the tab, so that a reload does not lose them. The service validates them as they are made.

import { Problem, get, post, request } from "../../api.js";
import { forTab } from "../../storage.js";
import { allowed } from "../resource.js";
import { compact } from "./spec.js";

const PAUSE = 400; // milliseconds without an edit, after which the document is validated and kept
const MOST_UNDONE = 50; // edits that can be taken back

export class Draft extends EventTarget {
  /** Loads it. Raises what `request` raises. */
  static async load(id) {
    const answer = await request(`blueprints/${encodeURIComponent(id)}`);
    return new Draft(await answer.json(), answer.headers.get("etag"), allowed(answer));
  }

  constructor(row, tag, may) {
    super();
    this.may = may;
    this.path = `blueprints/${row.id}`;
    this.key = `blueprint.${row.id}`;
    this.findings = [];
    this.problem = null; // why the document could not be validated
    this.#store(row, tag);
    this.#recall();
    this.leave = () => this.keep();
    addEventListener("pagehide", this.leave);
    this.validate();
  }

  /** Whether it can be edited by who looks at it. */
  get isOpen() {
    return this.row.is_draft && this.may.change;
  }

  get isDirty() {
    return (this.dirty ??= JSON.stringify(this.spec) !== this.stored);
  }

  /** Whether the stored one was changed since the edits were begun. */
  get isOlder() {
    return this.base !== this.tag;
  }

  /**
   * Applies an edit to the document.
   * @param work   changes `spec`
   * @param of     edits of the same control, one after the other, are taken back together
   * @param focus  the id of the control to go to; with it, what is shown is drawn again
   */
  edit(work, { of = null, focus = null } = {}) {
    if (of === null || this.last !== of) this.undone = [...this.undone.slice(1 - MOST_UNDONE), JSON.stringify(this.spec)];
    work(this.spec);
    this.last = of;
    this.#changed();
    if (focus) this.#tell("redraw", focus);
  }

  undo() {
    if (!this.undone.length) return;
    this.spec = JSON.parse(this.undone.pop());
    this.last = null;
    this.#changed();
    this.#tell("redraw");
  }

  discard() {
    forTab.set(this.key, null);
    this.#store(this.row, this.tag);
    this.validate();
    this.#tell("redraw");
  }

  /** Raises what `request` raises, and a Problem with status 412 if somebody else has saved meanwhile. */
  async save(changes = {}) {
    const body = { spec: compact(this.spec), ...changes };
    const answer = await request(this.path, { method: "PATCH", body, headers: { "If-Match": this.base } });
    this.take(await answer.json(), answer.headers.get("etag"));
  }

  /** Shows the stored version; the edits are kept only if they are wanted on top of it. */
  async reload(withEdits) {
    const answer = await request(this.path);
    const [row, tag, spec] = [await answer.json(), answer.headers.get("etag"), this.spec];
    if (!withEdits) return this.take(row, tag);
    Object.assign(this, { row, tag, base: tag, stored: JSON.stringify(row.spec), spec });
    this.#changed();
    this.#tell("redraw");
  }

  /** What the service has answered is the stored one from now on. */
  take(row, tag) {
    forTab.set(this.key, null);
    this.#store(row, tag);
    this.validate();
    this.#tell("redraw");
  }

  async validate() {
    const turn = (this.turn = {});
    try {
      const found = this.isDirty ? await post("blueprints/validate", { spec: compact(this.spec) }) : await get(`${this.path}/findings`);
      if (turn !== this.turn) return;
      Object.assign(this, { findings: found.findings, repaired: found.repaired, problem: null });
    } catch (error) {
      if (turn !== this.turn) return;
      this.problem = error;
      if (!(error instanceof Problem)) Object.assign(this, { findings: [], repaired: null });
    }
    this.#tell("findings");
  }

  /** The findings of an element itself, or of it and all below. */
  of(path) {
    return this.findings.filter(({ element }) => element === path);
  }

  below(path) {
    return this.findings.filter(({ element }) => element === path || element.startsWith(`${path}/`));
  }

  keep() {
    const kept = this.isOpen && this.isDirty ? JSON.stringify({ base: this.base, spec: this.spec }) : null;
    forTab.set(this.key, kept);
  }

  close() {
    clearTimeout(this.timer);
    removeEventListener("pagehide", this.leave);
    this.keep();
    this.turn = null;
  }

  #store(row, tag) {
    Object.assign(this, { row, tag, base: tag, stored: JSON.stringify(row.spec), undone: [], last: null });
    this.spec = JSON.parse(this.stored);
    this.dirty = null;
  }

  #recall() {
    const kept = this.isOpen && JSON.parse(forTab.get(this.key) || "null");
    if (kept) Object.assign(this, { spec: kept.spec, base: kept.base, dirty: null });
  }

  #changed() {
    this.dirty = null;
    this.#tell("edited");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => (this.keep(), this.validate()), PAUSE);
  }

  #tell(name, detail = null) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
