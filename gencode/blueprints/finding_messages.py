"""The messages of the rules, in English and Chinese: what is wrong, and what to do."""

from __future__ import annotations

from types import MappingProxyType

from gencode.blueprints.rules import Rule

MESSAGES = MappingProxyType(
    {
        Rule.DUPLICATE_ID: (
            "The id {id} is used twice here. Give one of the two another id.",
            "此处的 id {id} 重复，请为其中一个换一个 id。",
        ),
        Rule.IDENTIFIER: (
            "{name} is not an identifier. Use at most {most} letters, digits and underscores, beginning with "
            "a letter, and keep this text as the label.",
            "{name} 不是标识符。请使用字母开头、最多 {most} 个字母、数字和下划线，"
            "原文可作为显示名称（label）。",
        ),
        Rule.RESERVED_WORD: (
            "{name} is a reserved word of {language}. Choose another name.",
            "{name} 是 {language} 的保留字，请换一个名称。",
        ),
        Rule.SQL_RESERVED_WORD: (
            "{name} is a reserved word of SQL ({database}). The generated code quotes it; your own "
            "statements must do so, too.",
            "{name} 是 SQL（{database}）的保留字。生成的代码会加引号，您自己写的语句也必须加。",
        ),
        Rule.CLASS_NAME: (
            "A class {name} would hide the name {name} of {language}. Choose another name.",
            "类名 {name} 会遮蔽 {language} 的同名类型，请换一个名称。",
        ),
        Rule.DUPLICATE_NAME: (
            "{name} is already the name of {other}. Names must differ in more than case and underscores.",
            "{name} 已是 {other} 的名称。仅大小写或下划线不同也算相同。",
        ),
        Rule.TABLE_COLLISION: (
            "The table {table} already belongs to {other}. Set another `table`.",
            "表 {table} 已属于 {other}，请设置另一个 table。",
        ),
        Rule.CONSTRAINT_NAME: (
            "The name {name} of an index or a constraint would be that of another one, of {other}.",
            "索引或约束的名称 {name} 会与 {other} 的另一个重复。",
        ),
        Rule.EMPTY_ENTITY: ("{name} has neither fields nor relations.", "{name} 既没有字段也没有关系。"),
        Rule.NO_ENTITIES: ("The blueprint has no data model.", "蓝图中没有数据模型。"),
        Rule.TYPE_PARAMETER: (
            "A field of type {type} has no {parameter}.",
            "{type} 类型的字段不能有 {parameter}。",
        ),
        Rule.SCALE: (
            "The scale {scale} is greater than the precision {precision}.",
            "小数位数 {scale} 大于总位数 {precision}。",
        ),
        Rule.ENUM_VALUES: ("An enum needs at least one value.", "枚举至少需要一个值。"),
        Rule.ENUM_VALUE: (
            "The value {value} of the enum {problem}.",
            "枚举值 {value} 不可用：{problem}。",
        ),
        Rule.DEFAULT_VALUE: (
            "The default {value} is not a value of the type {type}.",
            "默认值 {value} 不是 {type} 类型的值。",
        ),
        Rule.RANGE: (
            "The lower limit {lower} is above the upper limit {upper}.",
            "下限 {lower} 大于上限 {upper}。",
        ),
        Rule.NOT_INDEXABLE: (
            "A field of type {type} cannot be unique or have an index on MySQL. Use a string with a length.",
            "MySQL 中 {type} 类型的字段不能唯一或建索引，请改用有长度的 string。",
        ),
        Rule.KEY_LENGTH: (
            "An index on MySQL holds at most {most} characters; this one has {length}.",
            "MySQL 的索引最多容纳 {most} 个字符，这里有 {length} 个。",
        ),
        Rule.ROW_SIZE: (
            "The strings of {name} take {size} bytes; a row of MySQL holds 65,535. Shorten them, or use the "
            "type text.",
            "{name} 的字符串共需 {size} 字节，而 MySQL 的一行最多 65,535 字节。请缩短长度或改用 text。",
        ),
        Rule.DANGLING_REFERENCE: (
            "{property} names {id}, which does not exist.",
            "{property} 指向的 {id} 不存在。",
        ),
        Rule.REQUIRED_CYCLE: (
            "These relations require each other in a circle, so no first record can be made: {cycle}. Make "
            "one optional.",
            "这些关系互相必填形成循环，无法创建第一条记录：{cycle}。请将其中一个改为可选。",
        ),
        Rule.ON_DELETE: (
            "A required relation cannot be set to null when {target} is deleted. Use restrict or cascade.",
            "必填关系不能在删除 {target} 时置空，请使用 restrict 或 cascade。",
        ),
        Rule.TWO_OWNERS: (
            "Both ends of this OneToOne hold the reference. Set `owner` to false at one.",
            "此一对一关系的两端都持有引用，请将其中一端的 owner 设为 false。",
        ),
        Rule.COLLECTION_PROPERTY: (
            "{property} has no effect on a relation of type {type}.",
            "{property} 对 {type} 类型的关系不起作用。",
        ),
        Rule.UNIQUE_FIELDS: (
            "{field} cannot be part of a unique constraint of {name}: {problem}.",
            "{field} 不能用于 {name} 的唯一约束：{problem}。",
        ),
        Rule.PATH_FORM: (
            "{path} is not a path. It begins with / and has letters, digits, - _ . and parameters such "
            "as {example}.",
            "{path} 不是合法路径。路径以 / 开头，由字母、数字、- _ . 和参数（如 {example}）组成。",
        ),
        Rule.DUPLICATE_PATH: ("{path} is already the path of {other}.", "{path} 已是 {other} 的路径。"),
        Rule.PATH_PARAMETER: (
            "The parameter {name} is not in the path {path}.",
            "参数 {name} 不在路径 {path} 中。",
        ),
        Rule.PARAMETER_NAME: (
            "{name} cannot be the name of a parameter: {problem}.",
            "{name} 不能用作参数名：{problem}。",
        ),
        Rule.COMPONENT_TYPE: (
            "{type} is not a known component. It is rendered as a plain container.",
            "{type} 不是已知的组件类型，将按普通容器渲染。",
        ),
        Rule.COMPONENT_DEPTH: ("Components are nested deeper than {most}.", "组件嵌套超过 {most} 层。"),
        Rule.COMPONENT_COUNT: ("A page has at most {most} components.", "一个页面最多 {most} 个组件。"),
        Rule.NO_BINDING: (
            "A component of type {type} shows records and needs a `dataBinding`.",
            "{type} 组件用于显示数据，需要 dataBinding。",
        ),
        Rule.EVENT_TARGET: (
            "An event has one of `page`, `api` and `flow`.",
            "事件必须且只能有 page、api、flow 之一。",
        ),
        Rule.API_PURPOSE: (
            "An api has either an `entity` with an `action`, or a `flow`.",
            "接口须有 entity 与 action，或有 flow。",
        ),
        Rule.NO_STEPS: (
            "The business flow {name} has no steps; nothing says what its code should do.",
            "业务流程 {name} 没有步骤，无法得知其代码应做什么。",
        ),
    }
)
