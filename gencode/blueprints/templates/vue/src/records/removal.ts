/** Deleting a record, after a question. */

import { ElMessage, ElMessageBox } from "element-plus";

import { texts } from "@/records/texts";
import { forgetTitle } from "@/records/titles";
import type { Entity, RecordBase } from "@/records/types";

/** Whether the record was deleted. */
export async function removed(entity: Entity, record: RecordBase): Promise<boolean> {
  try {
    await ElMessageBox.confirm(texts.confirmRemove, {
      cancelButtonText: texts.cancel,
      confirmButtonText: texts.remove,
      type: "warning",
    });
  } catch {
    return false;
  }
  try {
    await entity.records.remove(record.id);
  } catch (error) {
    ElMessage.error(error instanceof Error ? error.message : texts.failed);
    return false;
  }
  forgetTitle(entity.name, record.id);
  ElMessage.success(texts.removed);
  return true;
}
