"""English and Chinese keywords that the offline model recognises, and the templates that they lead to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

# With re.ASCII Chinese characters are not word characters, so that \b matches "flask" in "用flask写".
REGEX_FLAGS = re.IGNORECASE | re.ASCII


class Template(StrEnum):
    """The folders under templates/."""

    CLI = "cli"
    EXPRESS = "express"
    FASTAPI = "fastapi"
    FLASK = "flask"
    FLASK_AUTH = "flask-auth"
    GO = "go"
    STATIC = "static"


class LanguageFamily(StrEnum):
    """Languages that share a template, or have none (OTHER)."""

    GO = "go"
    JAVASCRIPT = "javascript"
    NODE = "node"
    OTHER = "other"
    PYTHON = "python"


class Purpose(StrEnum):
    """The kinds of project that a request can ask for."""

    API = "api"
    AUTH = "auth"
    CLI = "cli"
    PAGE = "page"
    WEB = "web"


class Rank(IntEnum):
    """Precedence when choosing a template. A MENTION has no effect, but the README lists it as not used."""

    MENTION = 0
    LANGUAGE = 1
    FRAMEWORK = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Technology:
    """name          as the README shows it
    substrings    every text that `pattern` matches has one of them (compared in lower case): a cheap test
                  before the regular expression
    target        a framework's template, a language's family
    has_template  whether a template uses it; otherwise the target is only the nearest one
    """

    name: str
    substrings: tuple[str, ...]
    pattern: str
    rank: Rank = Rank.MENTION
    target: Template | LanguageFamily | None = None
    has_template: bool = False


def _framework(
    template: Template, name: str, pattern: str = "", *substrings: str, has_template: bool = False
) -> Technology:
    return _technology(name, pattern, substrings, Rank.FRAMEWORK, template, has_template)


def _language(
    family: LanguageFamily, name: str, pattern: str = "", *substrings: str, has_template: bool = False
) -> Technology:
    return _technology(name, pattern, substrings, Rank.LANGUAGE, family, has_template)


def _mention(name: str, pattern: str = "", *substrings: str) -> Technology:
    return _technology(name, pattern, substrings, Rank.MENTION, None, False)


def _technology(
    name: str,
    pattern: str,
    substrings: tuple[str, ...],
    rank: Rank,
    target: Template | LanguageFamily | None,
    has_template: bool,
) -> Technology:
    return Technology(
        name=name,
        substrings=substrings or (name.lower(),),
        pattern=pattern or rf"\b{re.escape(name)}\b",
        rank=rank,
        target=target,
        has_template=has_template,
    )


_USING_ZH = r"(?:用|使用|基于|采用|以) ?"  # Chinese for "using"

FRAMEWORKS = (
    _framework(Template.FLASK, "Flask", has_template=True),
    _framework(Template.FASTAPI, "FastAPI", r"\bfast[ -]?api\b", "fast", has_template=True),
    _framework(
        Template.EXPRESS,
        "Express",
        rf"\bexpress\.?js\b|{_USING_ZH}express\b|\bnode(?:\.?js)?[ /+,和&-]+express\b"
        r"|\bexpress ?(?:框架|服务|应用|后端|项目|接口)"
        r"|\b(?-i:Express) (?:[45]\b|app|server|service|api|backend|framework|rest|web)"
        r"|\b(?:using|with|in|on) (?-i:Express)\b",
        has_template=True,
    ),
    _framework(Template.GO, "Gin", rf"\b(?-i:Gin)\b|\bgin ?(?:框架|framework)|{_USING_ZH}gin\b"),
    _framework(Template.FLASK, "Django"),
    _framework(Template.FLASK, "Ruby on Rails", r"\bruby on rails\b|\b(?-i:Rails)\b", "rails"),
    _framework(Template.FLASK, "Laravel"),
    _framework(Template.FLASK, "Symfony"),
    _framework(Template.FLASK, "Streamlit"),
    _framework(Template.FLASK, "Gradio"),
    _framework(
        Template.FASTAPI,
        "Spring",
        r"\bspring ?(?:boot|mvc|cloud|framework)\b|\b(?:in|using|with) (?-i:Spring)\b",
    ),
    _framework(Template.FASTAPI, "Tornado"),
    _framework(Template.FASTAPI, "Sanic"),
    _framework(Template.FASTAPI, "aiohttp"),
    _framework(Template.FASTAPI, "ASP.NET"),
    _framework(Template.EXPRESS, "NestJS", r"\bnest\.?js\b", "nest"),
    _framework(Template.EXPRESS, "Koa", r"\bkoa(?:\.?js|2)?\b"),
    _framework(Template.EXPRESS, "Fastify"),
    _framework(Template.STATIC, "Vue", r"\bvue(?:\.?js|[23])?\b"),
    _framework(Template.STATIC, "React", rf"\breact\.?js\b|\b(?-i:React)\b(?! to\b)|{_USING_ZH}react\b"),
    _framework(Template.STATIC, "Angular", r"\bangular(?:\.?js)?\b"),
    _framework(Template.STATIC, "Svelte", r"\bsvelte(?:kit)?\b"),
    _framework(Template.STATIC, "Next.js", r"\bnext\.?js\b", "next"),
    _framework(Template.STATIC, "Nuxt", r"\bnuxt(?:\.?js)?\b"),
    _framework(Template.STATIC, "mini program (小程序)", r"小程序", "小程序"),
    _framework(Template.CLI, "PyTorch"),
    _framework(Template.CLI, "TensorFlow"),
    _framework(Template.CLI, "Keras"),
    _framework(Template.CLI, "scikit-learn", r"\bscikit-?learn\b|\bsklearn\b", "scikit", "sklearn"),
    _framework(Template.CLI, "Qt", r"\bpy(?:qt|side)\d?\b|\b(?-i:Qt)\d?\b", "qt", "pyside"),
    _framework(Template.CLI, "Tkinter"),
    _framework(Template.CLI, "Pygame"),
    _framework(Template.CLI, "Unity", r"\b(?-i:Unity)(?:3d)?\b"),
    _framework(Template.CLI, "Electron", r"\b(?-i:Electron)\b|\belectron\.?js\b"),
)

LANGUAGES = (
    _language(LanguageFamily.PYTHON, "Python", r"\bpython[23]?\b", has_template=True),
    _language(
        LanguageFamily.GO,
        "Go",
        rf"\bgolang\b|\bgo ?(?:语言|服务|后端|程序|项目|编写|实现|写)|{_USING_ZH}go\b"
        r"|\b(?:in|using|with) (?-i:Go)\b|\bin go(?= *(?:[.,;!?\n]|\Z))|\bgo\.mod\b|\bgo 1\.\d"
        r"|\b(?-i:Go) (?:http|web|rest|api|grpc|service|server|microservice|backend|program|application|app|"
        r"module|package|project|cli|tool|code|standard|language)\b",
        has_template=True,
    ),
    _language(
        LanguageFamily.NODE,
        "Node.js",
        rf"\bnode ?\.? ?js\b|\bnode (?:server|backend|service|app|\d\d)\b|{_USING_ZH}node\b"
        r"|\bnpm (?:package|module)",
        "node",
        "npm",
        has_template=True,
    ),
    _language(
        LanguageFamily.JAVASCRIPT,
        "JavaScript",
        r"\bjava ?script\b|(?<![.\w])js\b",
        "javascript",
        "java script",
        "js",
        has_template=True,
    ),
    _language(LanguageFamily.JAVASCRIPT, "TypeScript"),
    _language(LanguageFamily.OTHER, "Java", r"\bjava\b(?! ?script)"),
    _language(LanguageFamily.OTHER, "C++", r"(?<!\w)c\+\+|\bcpp\b", "c++", "cpp"),
    _language(
        LanguageFamily.OTHER, "C#", r"(?<!\w)c#|\bdotnet\b|(?<!\w)\.net\b(?! ?framework for)", "c#", "net"
    ),
    _language(
        LanguageFamily.OTHER,
        "C",
        rf"(?:\b(?:in|using) |{_USING_ZH})(?-i:C)(?![\w+#])"
        r"|\b(?-i:C)(?: language\b| program\b|99\b|11\b| ?语言)",
    ),
    _language(
        LanguageFamily.OTHER,
        "Rust",
        rf"\b(?-i:Rust)\b|\brust ?(?:语言|程序|编写|实现)|(?:{_USING_ZH}|\bin )rust\b",
    ),
    _language(LanguageFamily.OTHER, "PHP"),
    _language(LanguageFamily.OTHER, "Ruby"),
    _language(LanguageFamily.OTHER, "Kotlin"),
    _language(LanguageFamily.OTHER, "Swift", r"\b(?-i:Swift|SwiftUI)\b"),
    _language(LanguageFamily.OTHER, "Scala", r"\b(?-i:Scala)\b"),
    _language(LanguageFamily.OTHER, "Flutter", r"\b(?-i:Flutter)\b|\bflutter (?:app|ui)\b"),
    _language(LanguageFamily.OTHER, "Android"),
    _language(LanguageFamily.OTHER, "iOS", r"\b(?-i:iOS)\b"),
    _language(
        LanguageFamily.OTHER,
        "R",
        rf"(?:\bin |{_USING_ZH})(?-i:R)\b(?!&)|\b(?-i:R)(?: (?:language|script)\b| ?语言)",
    ),
    _language(LanguageFamily.OTHER, "MATLAB"),
    _language(
        LanguageFamily.OTHER, "Julia", r"\b(?-i:Julia) (?:language|program|script)\b|\bin (?-i:Julia)\b"
    ),
    _language(LanguageFamily.OTHER, "Lua"),
    _language(LanguageFamily.OTHER, "Perl"),
    _language(LanguageFamily.OTHER, "Haskell"),
    _language(LanguageFamily.OTHER, "Elixir"),
    _language(LanguageFamily.OTHER, "Zig", r"\b(?-i:Zig)\b"),
    _language(
        LanguageFamily.OTHER,
        "Bash",
        r"\b(?:bash|shell) ?(?:script|program|脚本)|\bin bash\b",
        "bash",
        "shell",
    ),
    _language(LanguageFamily.OTHER, "Solidity"),
)

_MENTION_NAMES = """
    SQLite, MySQL, PostgreSQL, MongoDB, Redis, Docker, Kubernetes, GraphQL, gRPC, WebSocket, JWT,
    OAuth, Kafka, RabbitMQ, Celery, Elasticsearch, SQLAlchemy, Tailwind, Bootstrap, jQuery, Vuex,
    Axios, Webpack, Babel, Jest, Gradle, Maven, NumPy, pandas, Matplotlib, tqdm, OpenCV, PyBullet,
    Word2Vec, GPT-2, Scrapy, Selenium, Playwright, lxml
"""

MENTIONS = (
    *(_mention(name.strip()) for name in _MENTION_NAMES.split(",")),
    _mention("Hugging Face", r"\bhugging ?face\b", "hugging"),
    _mention("OpenAI Gym", r"\bopenai gym\b|\bgymnasium\b", "openai gym", "gymnasium"),
    _mention("Beautiful Soup", r"\bbeautiful ?soup", "beautiful"),
)

TECHNOLOGIES = FRAMEWORKS + LANGUAGES + MENTIONS

TEMPLATE_TECHNOLOGIES: dict[Template, frozenset[str]] = {
    Template.CLI: frozenset({"Python"}),
    Template.EXPRESS: frozenset({"Express", "JavaScript", "Node.js"}),
    Template.FASTAPI: frozenset({"FastAPI", "Python", "SQLite"}),
    Template.FLASK: frozenset({"Flask", "Python", "SQLite"}),
    Template.FLASK_AUTH: frozenset({"Flask", "Python", "SQLite"}),
    Template.GO: frozenset({"Go"}),
    Template.STATIC: frozenset({"JavaScript"}),
}

PURPOSE_PATTERNS: dict[Purpose, str] = {
    Purpose.CLI: r"\bcommand[ -]?line\b|\bcli\b|\bterminal\b|\bscripts?\b|\bscraper\b|\bcrawler\b"
    r"|\bconsole (?:app|application|program|game|tool)\b|命令行|脚本|终端|爬虫|控制台",
    Purpose.PAGE: r"\blanding page|\bstatic (?:web ?)?(?:page|site)|\bweb ?pages?\b|\bhtml5? page"
    r"|\bportfolio\b|\bhtml5? ?(?:[/,+&、和]|and) ?css|\bhome ?page\b|\bfront-?end\b"
    r"|静态(?:网页|页面|网站|站点)|网页|页面|落地页|着陆页|主页|前端|官网",
    Purpose.API: r"\brestful\b|\brest[ -]?(?:api|service|接口)|\bmicro-?services?\b"
    r"|\b(?:web|http|back-?end) (?:api|service|server)\b|\bapi (?:server|service|backend)\b"
    r"|\b(?:build|create|make|write|develop|design|implement) (?:an?|the) (?:[\w-]+ )?api\b"
    r"|(?:http|web|api|rest) ?(?:接口|服务)|后端|微服务|接口服务",
    Purpose.WEB: r"\bweb[ -]?(?:app|application|site)s?\b|\bweb ?(?:应用|网站|系统|项目)|\bfull-?stack\b"
    r"|\bblog\b|\bforum\b|网站|网页应用|博客|论坛|商城|管理系统|全栈",
    Purpose.AUTH: r"\bauthenticat\w+|\blog[ -]?ins?\b|\bsign[ -]?(?:in|up)\b|\buser accounts?\b"
    r"|\buser registration\b|\bregistration (?:form|page)\b|认证|登录|登陆|注册|鉴权|用户账号|账户",
}

TEMPLATE_PURPOSES: dict[Template, frozenset[Purpose]] = {
    Template.CLI: frozenset({Purpose.CLI}),
    Template.EXPRESS: frozenset({Purpose.API}),
    Template.FASTAPI: frozenset({Purpose.API}),
    Template.FLASK: frozenset({Purpose.WEB, Purpose.PAGE}),
    Template.FLASK_AUTH: frozenset({Purpose.WEB, Purpose.PAGE, Purpose.AUTH}),
    Template.GO: frozenset({Purpose.API}),
    Template.STATIC: frozenset({Purpose.PAGE}),
}
