"""The rules by name: how severe, what they are about, and what they say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleText:
    """title, body  by language"""

    severity: str
    category: str
    title: Mapping[str, str]
    body: Mapping[str, str]


def _rule(severity: str, category: str, en: tuple[str, str], zh: tuple[str, str]) -> RuleText:
    return RuleText(
        severity=severity,
        category=category,
        title={"en": en[0], "zh": zh[0]},
        body={"en": en[1], "zh": zh[1]},
    )


RULES: Mapping[str, RuleText] = {
    "secret": _rule(
        "critical",
        "security",
        (
            "This looks like a secret",
            "Who reads the repository has it. Revoke it, and read it from the environment.",
        ),
        ("这看起来是密钥", "能读取仓库的人都能得到它。请作废该密钥，并改为从环境变量读取。"),
    ),
    "conflict-marker": _rule(
        "critical",
        "bug",
        ("A merge conflict is not resolved", "The marker is no code: keep one side and remove the markers."),
        ("合并冲突尚未解决", "冲突标记不是代码：请保留其中一方并删除标记。"),
    ),
    "eval": _rule(
        "major",
        "security",
        (
            "eval or exec runs text as code",
            "If the text comes from outside, it can do anything. Parse it instead.",
        ),
        ("eval 或 exec 把文本当作代码执行", "若文本来自外部，它可以做任何事。请改为解析。"),
    ),
    "shell-true": _rule(
        "major",
        "security",
        (
            "A composed command goes to a shell",
            "A value in it can add commands. Pass a list without shell=True.",
        ),
        ("拼接的命令交给了 shell", "其中的值可以附加命令。请传入列表，不要使用 shell=True。"),
    ),
    "sql-text": _rule(
        "major",
        "security",
        (
            "Values are put into the text of SQL",
            "A value can change the statement. Pass values as parameters.",
        ),
        ("把值拼进了 SQL 文本", "值可以改变语句。请以参数方式传值。"),
    ),
    "except-pass": _rule(
        "major",
        "bug",
        ("Every error is swallowed", "Also those nobody expects. Name the error, or log it."),
        ("吞掉了所有错误", "包括意料之外的错误。请写明错误类型，或记录日志。"),
    ),
    "mutable-default": _rule(
        "major",
        "bug",
        ("A mutable default is shared by all calls", "What one call changes, the next one sees. Use None."),
        ("可变默认值被所有调用共享", "一次调用的修改会被下一次看到。请使用 None。"),
    ),
    "none-comparison": _rule(
        "minor",
        "maintainability",
        ("None is compared with == or !=", "The class of the other value decides the result. Use `is`."),
        ("用 == 或 != 与 None 比较", "结果取决于另一个值的类。请使用 is。"),
    ),
    "literal-identity": _rule(
        "major",
        "bug",
        ("`is` compares with a literal", "Whether equal literals are one object is undefined. Use ==."),
        ("用 is 与字面量比较", "相等的字面量是否为同一对象并无定义。请使用 ==。"),
    ),
    "assert-argument": _rule(
        "minor",
        "bug",
        ("An argument is checked by assert", "`python -O` leaves it out. Raise an error if it must hold."),
        ("用 assert 检查参数", "python -O 会忽略它。若必须成立，请抛出异常。"),
    ),
    "open-encoding": _rule(
        "info",
        "maintainability",
        ("open() without encoding", "The text is read by the machine's locale. Say encoding='utf-8'."),
        ("open() 未指定编码", "文本按机器的区域设置读取。请写明 encoding='utf-8'。"),
    ),
    "debugger": _rule(
        "major",
        "bug",
        ("A call of the debugger is left", "It stops the program."),
        ("遗留了调试器调用", "它会使程序停住。"),
    ),
    "console-log": _rule(
        "minor",
        "maintainability",
        ("console.log is left", "It is seen by everybody who opens the console."),
        ("遗留了 console.log", "任何打开控制台的人都能看到。"),
    ),
    "loose-equality": _rule(
        "minor",
        "bug",
        ("== converts types", 'For example "0" == false. Use === or !==.'),
        ("== 会转换类型", '例如 "0" == false。请使用 === 或 !==。'),
    ),
    "todo": _rule(
        "info",
        "maintainability",
        ("Something is left to do", "Do it, or make an issue of it."),
        ("遗留了待办事项", "请完成它，或为它建立议题。"),
    ),
}

NOTE = {
    "en": "Found by the rule `{rule}` of gencode's offline model, which judges nothing.",
    "zh": "由 gencode 离线模型的规则 `{rule}` 发现；它不作判断。",
}
