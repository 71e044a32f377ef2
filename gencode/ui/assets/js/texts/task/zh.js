// 任务视图中状态以外的文字：阶段、文件、计划。

export default {
  planReady: "计划已就绪，等待您的批准",
  aboutTask: { chat: "打开对话", knowledge: "打开知识库", requirements: "打开文档", blueprints: "打开蓝图" },
  finished: "任务已完成",

  defaultOne: (name) => `${name}（默认）`,
  ownModel: "您自己的模型",
  nothingToChoose: "还没有可选项：请先添加",
  otherModel: "其他模型…",
  otherModelAsked: "提供方和模型，例如 deepseek/deepseek-reasoner",
  nameFree: "此名称可用。",
  nameTaken: (free) => `已有同名仓库。${free ? `${free} 可能可用。` : ""}`,

  openStage: "查看此阶段的详情",
  stageBegan: (when) => `开始于 ${when}`,
  stageWorked: (time) => `用时 ${time}`,
  stageWaited: (time) => `等待批准 ${time}`,
  stageCalls: (count) => `${count} 次模型调用`,
  stageRetries: (count) => `重试 ${count} 次`,
  stageNoCalls: "此阶段没有调用模型。",
  modelCalls: "模型调用",
  callColumns: ["对象", "提示 token", "回答 token", "用时"],
  callPlan: "计划",
  callRepeated: (code, seconds) => `${code}：${seconds} 秒后重新请求`,
  callFailedOver: (code, model) => `${code}：此后由 ${model} 回答`,
  done: "进度",
  waited: "等待批准",

  source: "源文本",
  rendered: "排版后",
  searchFiles: "在文件中搜索",
  foundLines: (count) => (count === 0 ? "没有找到。" : `${count} 行`),
  report: "报告",

  planNoFiles: "计划至少需要一个文件：请添加。",
  planNoPath: (number) => `第 ${number} 个文件没有路径：请填写，或移除该文件。`,
  planUndo: "撤销我的修改",
};
