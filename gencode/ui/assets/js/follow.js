// One task that is being looked at: what is known of it, and its stream. Views listen; they may come and go.

import { Problem, get, post } from "./api.js";
import { Stream } from "./stream.js";
import { blank, fold, isOver, noteFiles } from "./task.js";

export class Follow {
  constructor(id) {
    this.id = id;
    this.address = `task/${encodeURIComponent(id)}`;
    this.task = blank(id);
    this.view = null; // as GET /task/{id} gives it
    this.lost = false; // the connection broke and is being mended
    this.problem = null; // why there is nothing to see
    this.listeners = new Set();
  }

  async start() {
    try {
      this.view = await get(this.address);
    } catch (error) {
      return this.#fail(error);
    }
    if (this.stopped) return;
    this.#listen();
    this.#changed();
  }

  /** Once more from the last event: after a retry, or when a key was given. */
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

  /** `changes`: what is to be otherwise from now on, such as a limit. */
  async retry(changes) {
    await post(`${this.address}/retry`, Object.keys(changes).length ? changes : undefined);
    this.resume();
  }

  #listen() {
    const last = this.stream ? this.stream.last : 0;
    if (this.stream) this.stream.close();
    this.stream = new Stream(this.id, last, {
      hear: (kind, data, id) => this.#hear(kind, data, id),
      over: () => this.#over(),
      tell: (connected, error) => this.#tell(connected, error),
    });
    this.stream.open();
  }

  #hear(kind, data, id) {
    fold(this.task, kind, data, id);
    if (kind === "status") this.#refresh();
    this.#changed(kind);
  }

  #over() {
    const { status, failure } = this.task;
    return isOver(status) && (status !== "failed" || Boolean(failure));
  }

  async #tell(connected, error) {
    if (error instanceof Problem) return this.#fail(error);
    this.lost = !connected;
    this.#changed();
    if (connected && !isOver(this.view.status)) await this.#seeFiles();
  }

  async #seeFiles() {
    try {
      noteFiles(this.task, (await get(`${this.address}/files`)).files);
      this.#changed();
    } catch {
      // It is only about what is shown until the files are whole.
    }
  }

  async #refresh() {
    try {
      this.view = await get(this.address);
      this.#changed();
    } catch {
      // The stream says when the service is away; the next status asks again.
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
