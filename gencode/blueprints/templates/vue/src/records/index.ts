/** The parts that pages are made of. */

export { recordsAt } from "@/records/client";
export { default as RecordCards } from "@/records/RecordCards.vue";
export { default as RecordChart } from "@/records/RecordChart.vue";
export { default as RecordCount } from "@/records/RecordCount.vue";
export { default as RecordDetail } from "@/records/RecordDetail.vue";
export { default as RecordForm } from "@/records/RecordForm.vue";
export { default as RecordTable } from "@/records/RecordTable.vue";
export { default as RecordTree } from "@/records/RecordTree.vue";
export { default as SearchField } from "@/records/SearchField.vue";
export { usePage } from "@/records/usePage";
