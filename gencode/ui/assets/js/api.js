// Requests to the service. Addresses are relative to the page's own, so a prefix costs nothing.

import { accessToken, renew } from "./session.js";
import { keepShared, kept } from "./shared_credential.js";
import { language } from "./words.js";

/** A refusal by the service: `code` and `message`, `errors` by field, `wait` in seconds if it names one. */
export class Problem extends Error {
  constructor(status, body, wait) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code || `HTTP_${status}`;
    this.errors = body.errors || [];
    this.wait = wait;
  }
}

/** The service cannot be reached at all. */
export class Unreachable extends Error {}

export const address = (path) => new URL(`api/v1/${path}`, document.baseURI).href;
/** What authenticates requests: the access token of an account, or an API key. */
export const credential = () => accessToken() ?? kept("key");
export const keepKey = (value) => keepShared("key", value);

/** Milliseconds to add to this machine's clock to get the service's; small differences are just the way. */
export let skew = 0;

let ask = async () => null;
/** `asker(wrong)` gets a credential from the user, or null; it is asked when the service answers 401. */
export function onUnauthorized(asker) {
  ask = asker;
}

/** The answer, if it is a good one. Raises Problem and Unreachable. */
export async function request(path, { method = "GET", body, headers = {} } = {}) {
  const used = credential();
  const answer = await send(path, method, body, headers, used);
  if (answer.ok) return answer;
  const problem = await read(answer);
  if (answer.status !== 401) throw problem;
  // Another request may have got one from the user meanwhile.
  const has = credential() !== used || (await renewed(used)) || (await ask(Boolean(used)));
  if (!has || !credential()) throw problem;
  return request(path, { method, body, headers });
}

export const get = async (path) => (await request(path)).json();
export const post = async (path, body, headers) =>
  (await request(path, { method: "POST", body, headers })).json();
export const put = async (path, body, headers) =>
  (await request(path, { method: "PUT", body, headers })).json();

/** Known to nobody else; crypto.randomUUID is there on secure origins only. */
export const unique = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** A path of a file, fit for an address. */
export const escaped = (path) => path.split("/").map(encodeURIComponent).join("/");

async function renewed(used) {
  try {
    return used === accessToken() && (await renew());
  } catch (error) {
    throw new Unreachable(error.message);
  }
}

async function send(path, method, body, more, used) {
  const headers = { "Accept-Language": language(), ...more };
  if (used) headers.Authorization = `Bearer ${used}`;
  const isForm = body instanceof FormData; // the browser writes its type, with the boundary
  if (body !== undefined && !isForm) headers["Content-Type"] = "application/json";
  try {
    const content = body === undefined || isForm ? body : JSON.stringify(body);
    const answer = await fetch(address(path), { method, headers, body: content });
    note(answer.headers.get("date"));
    return answer;
  } catch (error) {
    throw new Unreachable(error.message);
  }
}

async function read(answer) {
  const wait = Number(answer.headers.get("retry-after")) || 0;
  const body = await answer.json().catch(() => ({}));
  return new Problem(answer.status, body, wait);
}

function note(date) {
  const off = Date.parse(date) - Date.now();
  if (Number.isFinite(off)) skew = Math.abs(off) > 3000 ? off : 0;
}
