/** The words of the front end in the language of the project. */

import { project } from "@/project";

type Fault = (context: Record<string, unknown>) => string;

export interface Texts {
  menu: string;
  save: string;
  create: string;
  open: string;
  edit: string;
  remove: string;
  confirmRemove: string;
  removed: string;
  saved: string;
  done: string;
  retry: string;
  cancel: string;
  confirm: string;
  actions: string;
  yes: string;
  no: string;
  empty: string;
  choose: string;
  search: string;
  noConnection: string;
  invalid: string;
  notFound: string;
  conflict: string;
  notWritten: string;
  failed: string;
  noPage: string;
  home: string;
  missingParameter: string;
  newest: (count: number, total: number) => string;
  required: (label: string) => string;
  tooShort: (least: number) => string;
  tooLong: (most: number) => string;
  tooSmall: (least: number) => string;
  tooLarge: (most: number) => string;
  notInteger: string;
  notDecimal: (digits: number, places: number) => string;
  notUuid: string;
  notJson: string;
  created_at: string;
  updated_at: string;
  faults: ReadonlyMap<string, Fault>;
}

const english: Texts = {
  menu: "Menu",
  save: "Save",
  create: "New",
  open: "Open",
  edit: "Edit",
  remove: "Delete",
  confirmRemove: "Delete this record?",
  removed: "Deleted",
  saved: "Saved",
  done: "Done",
  retry: "Try again",
  cancel: "Cancel",
  confirm: "OK",
  actions: "Actions",
  yes: "Yes",
  no: "No",
  empty: "No records",
  choose: "Choose",
  search: "Search",
  noConnection: "The server does not answer.",
  invalid: "Some values are not valid.",
  notFound: "This record does not exist.",
  conflict: "Another record has this value, or refers to this record.",
  notWritten: "This function is not written yet.",
  failed: "The request failed.",
  noPage: "This page does not exist.",
  home: "Home",
  missingParameter: "Choose a record first.",
  newest: (count, total) => `The newest ${count} of ${total} records`,
  required: (label) => `${label} is required`,
  tooShort: (least) => `At least ${least} characters`,
  tooLong: (most) => `At most ${most} characters`,
  tooSmall: (least) => `At least ${least}`,
  tooLarge: (most) => `At most ${most}`,
  notInteger: "A whole number is needed",
  notDecimal: (digits, places) => `A number of at most ${digits} digits, ${places} after the point`,
  notUuid: "A UUID is needed",
  notJson: "This is not JSON",
  created_at: "Created",
  updated_at: "Changed",
  faults: new Map(),
};

const chinese: Texts = {
  menu: "菜单",
  save: "保存",
  create: "新建",
  open: "查看",
  edit: "编辑",
  remove: "删除",
  confirmRemove: "确定删除这条记录吗?",
  removed: "已删除",
  saved: "已保存",
  done: "已完成",
  retry: "重试",
  cancel: "取消",
  confirm: "确定",
  actions: "操作",
  yes: "是",
  no: "否",
  empty: "没有记录",
  choose: "请选择",
  search: "搜索",
  noConnection: "服务器没有响应。",
  invalid: "有些值无效。",
  notFound: "这条记录不存在。",
  conflict: "其他记录已使用这个值,或引用了这条记录。",
  notWritten: "这个功能尚未编写。",
  failed: "请求失败。",
  noPage: "页面不存在。",
  home: "首页",
  missingParameter: "请先选择一条记录。",
  newest: (count, total) => `共 ${total} 条记录中最新的 ${count} 条`,
  required: (label) => `请填写${label}`,
  tooShort: (least) => `至少 ${least} 个字符`,
  tooLong: (most) => `最多 ${most} 个字符`,
  tooSmall: (least) => `不能小于 ${least}`,
  tooLarge: (most) => `不能大于 ${most}`,
  notInteger: "请输入整数",
  notDecimal: (digits, places) => `最多 ${digits} 位数字,其中小数 ${places} 位`,
  notUuid: "请输入 UUID",
  notJson: "不是有效的 JSON",
  created_at: "创建时间",
  updated_at: "修改时间",
  faults: new Map<string, Fault>([
    ["missing", () => "必填"],
    ["extra_forbidden", () => "不允许这个字段"],
    ["missing_reference", () => "这条记录不存在"],
    ["string_too_short", (context) => `至少 ${String(context.min_length)} 个字符`],
    ["string_too_long", (context) => `最多 ${String(context.max_length)} 个字符`],
    ["greater_than_equal", (context) => `不能小于 ${String(context.ge)}`],
    ["less_than_equal", (context) => `不能大于 ${String(context.le)}`],
  ]),
};

export const texts: Texts = project.language === "zh" ? chinese : english;
