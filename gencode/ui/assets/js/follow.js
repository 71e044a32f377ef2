// The task that the page shows: its data and its stream. Views add and remove themselves as listeners.

import { Problem, get, post, request } from "./api.js";
import { loadKinds } from "./kinds.js";
import { Stream } from "./stream.js";
import { blank, fold, isGenerate, isOver, noteFiles, stateOf } from "./task.js";

export class Follow {
  constructor(id) {
    this.id = id;
    this.address = `task/${encodeURIComponent(id)}`;
    this.task = blank(id);
    this.view = null; // as GET /task/{id} returns it
    this.lost = false; // the connection broke; the stream reconnects
    this.problem = null; // why the task cannot be shown
    this.listeners = new Set();
  }

  async start() {
    try {
      this.view = await get(this.address);
    } catch (error) {
      return this.#fail(error);
    }
    await loadKinds();
    if (this.stopped) return;
    this.task.kind = this.view.kind;
    this.#listen();
    this.#changed();
  }

  /** Follows the task again from the last event: after a retry, or after the user entered a key. */
  resume() {
    this.problem = null;
    if (!this.view) return this.start();
    this.#listen();
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    if (this.stream) this.stream.close();
  }

  async cancel() {
    this.view = await post(`${this.address}/cancel`);
    this.#changed();
  }

  async delete() {
    await request(this.address, { method: "DELETE" });
    this.stop();
  }

  /** `changes`: parameters to change, such as a limit. */
  async retry(changes) {
    await post(`${this.address}/retry`, Object.keys(changes).length ? changes : undefined);
    this.resume();
  }

  #listen() {
    const last = this.stream ? this.stream.last : 0;
    if (this.stream) this.stream.close();
    this.stream = new Stream(this.id, last, {
      onEvent: (kind, data, id) => this.#onEvent(kind, data, id),
      isComplete: () => this.#isComplete(),
      onConnection: (connected, error) => this.#onConnection(connected, error),
    });
    this.stream.open();
  }

  #onEvent(kind, data, id) {
    fold(this.task, kind, data, id);
    if (kind === "status") this.#refresh();
    this.#changed(kind);
  }

  /** The error of a failed task comes after its status. */
  #isComplete() {
    return isOver(this.task) && (this.task.state !== "failed" || Boolean(this.task.failure));
  }

  async #onConnection(connected, error) {
    if (error instanceof Problem) return this.#fail(error);
    this.lost = !connected;
    this.#changed();
    if (connected && isGenerate(this.view.kind) && !isOver({ state: stateOf(this.view) }))
      await this.#loadFiles();
  }

  async #loadFiles() {
    try {
      noteFiles(this.task, (await get(`${this.address}/files`)).files);
      this.#changed();
    } catch {
      // The list only adds details until the files are complete.
    }
  }

  async #refresh() {
    try {
      this.view = await get(this.address);
      this.#changed();
    } catch {
      // The stream reports a lost connection; the next status event loads the task again.
    }
  }

  #fail(error) {
    if (this.stopped) return;
    if (!(error instanceof Problem)) {
      this.lost = true;
      this.timer = setTimeout(() => this.start(), 2000);
    } else this.problem = error;
    this.#changed();
  }

  #changed(kind = "") {
    for (const listener of this.listeners) listener(kind);
  }
}
