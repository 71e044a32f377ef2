// The session of an account: the tokens of a login, kept in the tabs of this page only.

import { keepShared, kept } from "./shared_credential.js";
import { forTab } from "./storage.js";

const address = (path) => new URL(`api/v1/auth/${path}`, document.baseURI).href;
let renewal = null;

export const accessToken = () => tokens()?.access_token ?? null;

/** What the service says of logins, or null if it has no accounts. */
export async function loginOptions() {
  try {
    const answer = await fetch(address("options"));
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/** Opens a session. Returns null, or the service's problem with the login. */
export async function logIn(username, password) {
  const form = new URLSearchParams({ username, password });
  const answer = await fetch(address("login"), { method: "POST", body: form });
  const body = await answer.json();
  if (!answer.ok) return body;
  keep(body);
  return null;
}

/** Gets new tokens for the session. Returns whether it has them; once for all requests that wait for them. */
export function renew() {
  renewal ??= refresh().finally(() => (renewal = null));
  return renewal;
}

export async function logOut() {
  const headers = { Authorization: `Bearer ${accessToken()}` };
  keep(null);
  await fetch(address("logout"), { method: "POST", headers }).catch(() => {});
}

async function refresh() {
  const before = tokens();
  if (!before) return false;
  const body = JSON.stringify({ refresh_token: before.refresh_token });
  const answer = await fetch(address("refresh"), {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json" },
  });
  if (answer.ok) keep(await answer.json());
  else if (answer.status === 401) forTab.set("session", null); // another tab may have newer tokens
  return answer.ok;
}

function tokens() {
  try {
    return JSON.parse(kept("session"));
  } catch {
    return null;
  }
}

const keep = (body) => keepShared("session", body && JSON.stringify(body));
