// A task's events by EventSource: without gap or repeat, whatever happens to the connection.
//
// EventSource can reconnect by itself, but only to the same address, and a ticket in that address expires.
// So each connection is a new EventSource, with a new ticket and ?after= the last event that was received.

import { Problem, address, credential, post } from "./api.js";

const KINDS = [
  ...["status", "error", "plan", "file", "usage", "retry", "failover", "findings", "repair", "merged", "repo"],
  ...["fetch_progress", "synced", "compared"],
  ...["pushed", "resumed", "cached", "outline", "part", "approval", "approved", "delta", "progress", "parsed"],
  ...["section", "compared", "requirements"],
  ...["collected", "finding", "reviewed", "judged", "posted", "context", "text", "citations"],
  ...["document_read", "document_indexed", "chunks_encoded", "repository_read", "files_indexed"],
  ...["targets", "test_file", "verified"],
  ...["element", "group", "repaired", "stored"],
  ...["rendered", "hole", "archived", "changes", "verification_step", "certificate"],
];
const SLOWEST = 8000;

export class Stream {
  /**
   * @param onEvent       (kind, data, id), for each event in order; id is null for live events
   * @param isComplete    () whether the task is over, so that no events follow the end of the stream
   * @param onConnection  (connected, error), when the connection opens or breaks; after a Problem the stream
   *                      does not reconnect
   */
  constructor(taskId, after, { onEvent, isComplete, onConnection }) {
    Object.assign(this, { taskId, last: after, onEvent, isComplete, onConnection });
    this.failures = 0;
    this.online = () => this.failures && this.open();
    addEventListener("online", this.online);
  }

  async open() {
    this.#drop();
    if (this.closed) return;
    const turn = (this.turn = {});
    try {
      const query = new URLSearchParams({ after: this.last, include: "delta,progress" });
      if (credential()) query.set("ticket", (await post(`task/${encodeURIComponent(this.taskId)}/ticket`)).ticket);
      if (this.closed || turn !== this.turn) return;
      this.#listen(new EventSource(address(`status/${encodeURIComponent(this.taskId)}?${query}`)));
    } catch (error) {
      if (error instanceof Problem && error.status < 500 && error.status !== 429)
        this.onConnection(false, error);
      else this.#later();
    }
  }

  close() {
    this.closed = true;
    removeEventListener("online", this.online);
    this.#drop();
  }

  #listen(source) {
    this.source = source;
    source.addEventListener("open", () => {
      this.failures = 0;
      this.onConnection(true);
    });
    // The service's own "error" has data; the browser's, of a connection that broke, has none.
    for (const kind of KINDS)
      source.addEventListener(kind, (event) => event.data === undefined || this.#take(kind, event));
    source.onerror = (event) => event.data !== undefined || this.#ended();
  }

  #take(kind, event) {
    const id = kind === "delta" || kind === "progress" ? null : Number(event.lastEventId);
    if (id !== null) {
      if (id <= this.last) return;
      this.last = id;
    }
    this.onEvent(kind, JSON.parse(event.data), id);
  }

  #ended() {
    this.#drop();
    if (this.isComplete()) this.close();
    else this.#later();
  }

  #later() {
    this.failures += 1;
    this.onConnection(false);
    this.timer = setTimeout(() => this.open(), Math.min(SLOWEST, 250 * 2 ** this.failures));
  }

  #drop() {
    clearTimeout(this.timer);
    if (this.source) this.source.close();
    this.source = null;
  }
}
