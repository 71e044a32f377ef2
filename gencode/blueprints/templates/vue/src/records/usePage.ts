/** What the parts of a page do: open another page, call the back end, share searches. */

import { ElMessage, ElMessageBox } from "element-plus";
import { reactive, ref } from "vue";
import { useRoute, useRouter } from "vue-router";

import { request } from "@/records/http";
import { texts } from "@/records/texts";
import { type Entity, type RecordBase, type Values, valueOf } from "@/records/types";

export interface Parameter {
  name: string;
  location: "path" | "query" | "body";
  required: boolean;
}

/** An operation of the back end beyond those of records; `path` as `/orders/{id}/ship`. */
export interface Call {
  label: string;
  method: string;
  path: string;
  parameters: Parameter[];
}

export function usePage() {
  const route = useRoute();
  const router = useRouter();
  /** By entity, what its search field has; "" is of a search field without an entity. */
  const queries = reactive(new Map<string, string>());
  /** Counted up when a call may have changed records. */
  const changes = ref(0);

  function query(entity: string): string {
    return queries.get(entity) || queries.get("") || "";
  }

  /** The id in the address, if it is one. */
  function idOf(parameter: string): number | null {
    const id = Number(route.params[parameter]);
    return Number.isSafeInteger(id) && id > 0 ? id : null;
  }

  /** Opens a page by its name; parameters of its path are values of the record, or of this page's path. */
  async function open(name: string, record?: RecordBase): Promise<void> {
    const params: Record<string, string> = {};
    for (const parameter of parametersOf(pathOf(name))) {
      const value = valueFor(parameter, record) ?? record?.id;
      if (value === undefined) {
        ElMessage.warning(texts.missingParameter);
        return;
      }
      params[parameter] = String(value);
    }
    await router.push({ name, params });
  }

  /** Opens the page that shows a record of this entity, if there is one. */
  function openRelated(entity: Entity, record: RecordBase): void {
    if (entity.pages.detail !== null) {
      void open(entity.pages.detail, record);
    }
  }

  function leave(): void {
    router.back();
  }

  function pathOf(name: string): string {
    return router.getRoutes().find((one) => one.name === name)?.path ?? "";
  }

  function valueFor(parameter: string, record: RecordBase | undefined): unknown {
    const column = parameter.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
    const value = record === undefined ? undefined : (valueOf(record, parameter) ?? valueOf(record, column));
    return value ?? (route.params[parameter] || undefined);
  }

  /** Calls the back end; what its path or query needs and neither record nor address has is asked for. */
  async function run(call: Call, record?: RecordBase): Promise<void> {
    const values = await parametersFor(call, record);
    if (values === null) {
      return;
    }
    try {
      await request(call.method, pathWith(call, values), queryWith(call, values), bodyWith(call, values, record));
      changes.value += 1;
      ElMessage.success(texts.done);
    } catch (error) {
      ElMessage.error(error instanceof Error ? error.message : texts.failed);
    }
  }

  async function parametersFor(call: Call, record: RecordBase | undefined): Promise<Values | null> {
    const values: Values = Object.create(null) as Values;
    for (const parameter of call.parameters) {
      const known = valueFor(parameter.name, record) ?? (parameter.location === "path" ? record?.id : undefined);
      const value = known ?? (parameter.required ? await ask(parameter.name) : undefined);
      if (value === null) {
        return null;
      }
      values[parameter.name] = value;
    }
    return values;
  }

  return { queries, query, changes, idOf, leave, open, openRelated, run };
}

async function ask(name: string): Promise<string | null> {
  try {
    const buttons = { confirmButtonText: texts.confirm, cancelButtonText: texts.cancel };
    const answer = (await ElMessageBox.prompt(name, buttons)) as unknown as { value: string };
    return answer.value;
  } catch {
    return null;
  }
}

function parametersOf(path: string): string[] {
  return [...path.matchAll(/:([A-Za-z0-9_]+)/g)].map((match) => match[1] ?? "");
}

function pathWith(call: Call, values: Values): string {
  return call.path.replace(/\{([^}]*)\}/g, (_all, name: string) => encodeURIComponent(String(values[name])));
}

function queryWith(call: Call, values: Values): Record<string, string | undefined> {
  const inQuery = call.parameters.filter((one) => one.location === "query" && values[one.name] !== undefined);
  return Object.fromEntries(inQuery.map((one) => [one.name, String(values[one.name])]));
}

function bodyWith(call: Call, values: Values, record: RecordBase | undefined): Values | undefined {
  if (call.method === "GET" || call.method === "DELETE") {
    return undefined;
  }
  const body: Values = record === undefined ? {} : { id: record.id };
  for (const one of call.parameters.filter((parameter) => parameter.location === "body")) {
    body[one.name] = values[one.name];
  }
  return body;
}
