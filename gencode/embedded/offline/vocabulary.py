"""The words that the offline model knows, English and Chinese, and what each of them speaks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum

# re.ASCII makes Chinese characters non-words, so that \b finds "flask" in "用flask写".
FLAGS = re.IGNORECASE | re.ASCII


class Template(StrEnum):
    """The folders under templates/."""

    CLI = "cli"
    EXPRESS = "express"
    FASTAPI = "fastapi"
    FLASK = "flask"
    FLASK_AUTH = "flask-auth"
    GO = "go"
    STATIC = "static"


class Family(StrEnum):
    """What languages have in common when a template has to be found for them."""

    GO = "go"
    JAVASCRIPT = "javascript"
    NODE = "node"
    OTHER = "other"
    PYTHON = "python"


class Purpose(StrEnum):
    API = "api"
    AUTH = "auth"
    CLI = "cli"
    PAGE = "page"
    WEB = "web"


class Rank(IntEnum):
    """The higher one decides; a MENTION decides nothing, but the README says what became of it."""

    MENTION = 0
    LANGUAGE = 1
    FRAMEWORK = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """A technology. `hints`: one of them stands (in lower case) in every text that `pattern` matches, which
    spares most patterns their search. `speaks_for`: a framework's template, a language's family.
    `known`: whether a template is really made of it, or is only the nearest one."""

    name: str
    hints: tuple[str, ...]
    pattern: str
    rank: Rank = Rank.MENTION
    speaks_for: Template | Family | None = None
    known: bool = False


def _framework(template: Template, name: str, pattern: str = "", *hints: str, known: bool = False) -> Word:
    return _word(name, pattern, hints, Rank.FRAMEWORK, template, known)


def _language(family: Family, name: str, pattern: str = "", *hints: str, known: bool = False) -> Word:
    return _word(name, pattern, hints, Rank.LANGUAGE, family, known)


def _mention(name: str, pattern: str = "", *hints: str) -> Word:
    return _word(name, pattern, hints, Rank.MENTION, None, False)


def _word(
    name: str, pattern: str, hints: tuple[str, ...], rank: Rank, target: Template | Family | None, known: bool
) -> Word:
    return Word(
        name=name,
        hints=hints or (name.lower(),),
        pattern=pattern or rf"\b{re.escape(name)}\b",
        rank=rank,
        speaks_for=target,
        known=known,
    )


_BY = r"(?:用|使用|基于|采用|以) ?"  # "with" in Chinese

FRAMEWORKS = (
    _framework(Template.FLASK, "Flask", known=True),
    _framework(Template.FASTAPI, "FastAPI", r"\bfast[ -]?api\b", "fast", known=True),
    _framework(
        Template.EXPRESS,
        "Express",
        rf"\bexpress\.?js\b|{_BY}express\b|\bnode(?:\.?js)?[ /+,和&-]+express\b"
        r"|\bexpress ?(?:框架|服务|应用|后端|项目|接口)"
        r"|\b(?-i:Express) (?:[45]\b|app|server|service|api|backend|framework|rest|web)"
        r"|\b(?:using|with|in|on) (?-i:Express)\b",
        known=True,
    ),
    _framework(Template.GO, "Gin", rf"\b(?-i:Gin)\b|\bgin ?(?:框架|framework)|{_BY}gin\b"),
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
    _framework(Template.STATIC, "React", rf"\breact\.?js\b|\b(?-i:React)\b(?! to\b)|{_BY}react\b"),
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
    _language(Family.PYTHON, "Python", r"\bpython[23]?\b", known=True),
    _language(
        Family.GO,
        "Go",
        rf"\bgolang\b|\bgo ?(?:语言|服务|后端|程序|项目|编写|实现|写)|{_BY}go\b"
        r"|\b(?:in|using|with) (?-i:Go)\b|\bin go(?= *(?:[.,;!?\n]|\Z))|\bgo\.mod\b|\bgo 1\.\d"
        r"|\b(?-i:Go) (?:http|web|rest|api|grpc|service|server|microservice|backend|program|application|app|"
        r"module|package|project|cli|tool|code|standard|language)\b",
        known=True,
    ),
    _language(
        Family.NODE,
        "Node.js",
        rf"\bnode ?\.? ?js\b|\bnode (?:server|backend|service|app|\d\d)\b|{_BY}node\b"
        r"|\bnpm (?:package|module)",
        "node",
        "npm",
        known=True,
    ),
    _language(
        Family.JAVASCRIPT,
        "JavaScript",
        r"\bjava ?script\b|(?<![.\w])js\b",
        "javascript",
        "java script",
        "js",
        known=True,
    ),
    _language(Family.JAVASCRIPT, "TypeScript"),
    _language(Family.OTHER, "Java", r"\bjava\b(?! ?script)"),
    _language(Family.OTHER, "C++", r"(?<!\w)c\+\+|\bcpp\b", "c++", "cpp"),
    _language(Family.OTHER, "C#", r"(?<!\w)c#|\bdotnet\b|(?<!\w)\.net\b(?! ?framework for)", "c#", "net"),
    _language(
        Family.OTHER,
        "C",
        rf"(?:\b(?:in|using) |{_BY})(?-i:C)(?![\w+#])|\b(?-i:C)(?: language\b| program\b|99\b|11\b| ?语言)",
    ),
    _language(Family.OTHER, "Rust", rf"\b(?-i:Rust)\b|\brust ?(?:语言|程序|编写|实现)|(?:{_BY}|\bin )rust\b"),
    _language(Family.OTHER, "PHP"),
    _language(Family.OTHER, "Ruby"),
    _language(Family.OTHER, "Kotlin"),
    _language(Family.OTHER, "Swift", r"\b(?-i:Swift|SwiftUI)\b"),
    _language(Family.OTHER, "Scala", r"\b(?-i:Scala)\b"),
    _language(Family.OTHER, "Flutter", r"\b(?-i:Flutter)\b|\bflutter (?:app|ui)\b"),
    _language(Family.OTHER, "Android"),
    _language(Family.OTHER, "iOS", r"\b(?-i:iOS)\b"),
    _language(
        Family.OTHER, "R", rf"(?:\bin |{_BY})(?-i:R)\b(?!&)|\b(?-i:R)(?: (?:language|script)\b| ?语言)"
    ),
    _language(Family.OTHER, "MATLAB"),
    _language(Family.OTHER, "Julia", r"\b(?-i:Julia) (?:language|program|script)\b|\bin (?-i:Julia)\b"),
    _language(Family.OTHER, "Lua"),
    _language(Family.OTHER, "Perl"),
    _language(Family.OTHER, "Haskell"),
    _language(Family.OTHER, "Elixir"),
    _language(Family.OTHER, "Zig", r"\b(?-i:Zig)\b"),
    _language(
        Family.OTHER, "Bash", r"\b(?:bash|shell) ?(?:script|program|脚本)|\bin bash\b", "bash", "shell"
    ),
    _language(Family.OTHER, "Solidity"),
)

_MENTIONED = """
    SQLite, MySQL, PostgreSQL, MongoDB, Redis, Docker, Kubernetes, GraphQL, gRPC, WebSocket, JWT,
    OAuth, Kafka, RabbitMQ, Celery, Elasticsearch, SQLAlchemy, Tailwind, Bootstrap, jQuery, Vuex,
    Axios, Webpack, Babel, Jest, Gradle, Maven, NumPy, pandas, Matplotlib, tqdm, OpenCV, PyBullet,
    Word2Vec, GPT-2, Scrapy, Selenium, Playwright, lxml
"""

MENTIONS = (
    *(_mention(name.strip()) for name in _MENTIONED.split(",")),
    _mention("Hugging Face", r"\bhugging ?face\b", "hugging"),
    _mention("OpenAI Gym", r"\bopenai gym\b|\bgymnasium\b", "openai gym", "gymnasium"),
    _mention("Beautiful Soup", r"\bbeautiful ?soup", "beautiful"),
)

WORDS = FRAMEWORKS + LANGUAGES + MENTIONS

MADE_OF: dict[Template, frozenset[str]] = {
    Template.CLI: frozenset({"Python"}),
    Template.EXPRESS: frozenset({"Express", "JavaScript", "Node.js"}),
    Template.FASTAPI: frozenset({"FastAPI", "Python", "SQLite"}),
    Template.FLASK: frozenset({"Flask", "Python", "SQLite"}),
    Template.FLASK_AUTH: frozenset({"Flask", "Python", "SQLite"}),
    Template.GO: frozenset({"Go"}),
    Template.STATIC: frozenset({"JavaScript"}),
}

PURPOSES: dict[Purpose, str] = {
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

SERVES: dict[Template, frozenset[Purpose]] = {
    Template.CLI: frozenset({Purpose.CLI}),
    Template.EXPRESS: frozenset({Purpose.API}),
    Template.FASTAPI: frozenset({Purpose.API}),
    Template.FLASK: frozenset({Purpose.WEB, Purpose.PAGE}),
    Template.FLASK_AUTH: frozenset({Purpose.WEB, Purpose.PAGE, Purpose.AUTH}),
    Template.GO: frozenset({Purpose.API}),
    Template.STATIC: frozenset({Purpose.PAGE}),
}
