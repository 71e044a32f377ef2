"""What the codes of refused requests mean, in Chinese: the `title` of a problem for who prefers it."""

from __future__ import annotations

from collections.abc import Mapping

from gencode.http.accept_language import preferred_language

ENGLISH, CHINESE = "en", "zh"
CHINESE_TITLES: Mapping[str, str] = {
    "ALREADY_OVER": "任务已经结束",
    "ALREADY_TAKEN": "该名称或标识已被使用",
    "BLUEPRINT_INVALID": "蓝图有错误",
    "BLUEPRINT_PUBLISHED": "该版本已发布，不能再修改",
    "BODY_TOO_LARGE": "请求体过大",
    "CLONE_MISSING": "仓库尚未同步",
    "CONFLICT": "任务已被另一个进程修改",
    "CONVERSATION_BUSY": "该会话正在生成回答",
    "CROSS_SITE": "请求来自另一个网站",
    "DIFF_NOT_READY": "差异尚未生成，或生成失败",
    "DIFF_UNUSABLE": "无法生成差异",
    "ENCODER_INCOMPLETE": "向量模型尚未处理全部文档",
    "FORBIDDEN": "没有权限",
    "IDEMPOTENCY_KEY_REUSED": "该 Idempotency-Key 已用于另一个请求",
    "INTERNAL": "服务内部错误",
    "KNOWLEDGE_BASE_FULL": "知识库已满",
    "LAST_ADMIN": "这是最后一位启用的管理员",
    "LOGIN_FAILED": "用户不存在或密码错误",
    "LOGIN_LOCKED": "登录失败次数过多，请稍后再试",
    "MALFORMED": "请求无法解析",
    "METHOD_NOT_ALLOWED": "此地址不支持该方法",
    "MISDIRECTED": "请求的主机名不属于本服务",
    "NOT_ANALYSED": "需求文档尚未分析",
    "NOT_FOUND": "不存在，或属于他人",
    "NOT_HELD": "任务不在等待批准",
    "NO_ENCRYPTION_KEY": "未设置 ENCRYPTION_KEY，无法保存密钥",
    "OVERLOADED": "连接数过多，请稍后再试",
    "PATH_UNKNOWN": "该提交中没有此文件或目录",
    "PLAN_CHANGED": "计划已被修改，请重新读取",
    "PLAN_LIMIT_REACHED": "已达到订阅计划的上限",
    "PROJECT_ARCHIVED": "项目已归档",
    "PROPOSAL_DECIDED": "该提案已被接受或拒绝",
    "PROPOSAL_OUTDATED": "提案之后蓝图已被修改",
    "QUEUE_FULL": "等待的任务过多，请稍后再试",
    "QUOTA_EXCEEDED": "配额已用完",
    "RANGE_NOT_SATISFIABLE": "请求的范围超出文件末尾",
    "RATE_LIMITED": "请求过于频繁，请稍后再试",
    "REF_UNKNOWN": "仓库中没有此分支、标签或提交",
    "REPOSITORY_UNUSABLE": "仓库或其凭据不可用",
    "SECRET_FOUND": "内容包含密钥",
    "SESSION_ENDED": "会话已结束，请重新登录",
    "SHUTTING_DOWN": "服务正在停止，请稍后再试",
    "STILL_WORKING": "任务尚未结束，或并未失败",
    "STORAGE": "存储暂不可用，请稍后再试",
    "TEAM_HAS_PROJECTS": "团队中还有项目",
    "TEAM_NEEDS_OWNER": "团队必须有所有者",
    "TEMPLATE_CHECK_FAILED": "模板检查进程失败，请重试",
    "TEMPLATE_FAILED": "模板集无法用于此蓝图",
    "TEMPLATE_NOT_PROVEN": "模板集尚未通过验证",
    "UNAUTHORIZED": "需要有效的凭据",
    "UNKNOWN_KIND": "此版本不认识该类任务",
    "UNSAFE_PATH": "文件路径不安全",
    "UNSAFE_TREE": "文件列表不安全",
    "UNSUPPORTED_MEDIA": "不支持该内容类型",
    "VALIDATION": "字段不符合规则",
    "VERSION_CHANGED": "已被修改，请重新读取",
}


def prefers_chinese(accept_language: str) -> bool:
    return preferred_language(accept_language, (ENGLISH, CHINESE), ENGLISH) == CHINESE


def title(code: str, phrase: str, *, is_chinese: bool) -> str:
    """`phrase`: the English title, also for a code without a Chinese one."""
    return CHINESE_TITLES.get(code, phrase) if is_chinese else phrase
