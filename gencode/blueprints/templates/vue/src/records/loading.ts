/** Something that is loaded: its value, whether it is on the way, and what went wrong. */

import { onMounted, ref, shallowRef } from "vue";

import { texts } from "@/records/texts";

export function useLoaded<T>(load: () => Promise<T>) {
  const value = shallowRef<T>();
  const isLoading = ref(true);
  const fault = ref("");
  let asked = 0;

  /** The answer to the last question counts. */
  async function reload(): Promise<void> {
    const mine = ++asked;
    isLoading.value = true;
    fault.value = "";
    try {
      const answer = await load();
      if (mine === asked) {
        value.value = answer;
      }
    } catch (error) {
      if (mine === asked) {
        fault.value = error instanceof Error ? error.message : texts.failed;
      }
    } finally {
      if (mine === asked) {
        isLoading.value = false;
      }
    }
  }

  onMounted(reload);
  return { value, isLoading, fault, reload };
}
