/** Requests to the back end, and its errors. */

import { texts } from "@/records/texts";

interface FieldFault {
  loc?: unknown[];
  msg?: string;
  type?: string;
  ctx?: Record<string, unknown>;
}

/**
 * `status` is 0 where there was no answer; `fields` has a message for each field of the body that is wrong.
 */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly fields: ReadonlyMap<string, string> = new Map(),
  ) {
    super(message);
    this.name = "ApiError";
  }
}

type Query = Record<string, string | number | number[] | undefined>;

export async function request<T>(method: string, path: string, query: Query = {}, body?: unknown): Promise<T> {
  const response = await answered(method, addressOf(path, query), body);
  const text = await response.text();
  if (!response.ok) {
    throw errorOf(response.status, text);
  }
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

async function answered(method: string, address: string, body: unknown): Promise<Response> {
  const content = body === undefined ? {} : { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  try {
    return await fetch(address, { method, ...content });
  } catch {
    throw new ApiError(0, texts.noConnection);
  }
}

function addressOf(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== "") {
        parameters.append(name, String(one));
      }
    }
  }
  const text = parameters.toString();
  return text === "" ? `/api${path}` : `/api${path}?${text}`;
}

function errorOf(status: number, text: string): ApiError {
  const detail = detailOf(text);
  if (Array.isArray(detail)) {
    const fields = new Map<string, string>();
    for (const fault of detail as FieldFault[]) {
      fields.set(String(fault.loc?.[1] ?? ""), messageOf(fault));
    }
    return new ApiError(status, texts.invalid, fields);
  }
  const known = { 404: texts.notFound, 409: texts.conflict, 501: texts.notWritten }[status];
  return new ApiError(status, known ?? (typeof detail === "string" ? detail : `${texts.failed} (${status})`));
}

function detailOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { detail?: unknown }).detail;
  } catch {
    return undefined;
  }
}

function messageOf(fault: FieldFault): string {
  const known = fault.type === undefined ? undefined : texts.faults.get(fault.type);
  return known === undefined ? (fault.msg ?? texts.invalid) : known(fault.ctx ?? {});
}
