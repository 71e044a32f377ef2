"""Which distributions provide which Python modules, and which modules need no distribution.

The tables come from the documentation of the packages. A distribution whose name contains the module's
(python-dotenv, flask-cors) needs no line here: see `provides`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping

from gencode.codegen.validation.project import word_set

_DISTRIBUTIONS: Mapping[str, str] = {
    "_pytest": "pytest",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "bson": "pymongo",
    "cairo": "pycairo",
    "corsheaders": "django-cors-headers",
    "cv2": "opencv-python opencv-python-headless opencv-contrib-python opencv-contrib-python-headless",
    "Crypto": "pycryptodome pycrypto",
    "Cryptodome": "pycryptodomex",
    "dns": "dnspython",
    "discord": "discord.py py-cord",
    "docx": "python-docx docx",
    "environ": "django-environ environ-config",
    "faiss": "faiss-cpu faiss-gpu",
    "fitz": "pymupdf",
    "flask_sqlalchemy": "flask-sqlalchemy",
    "fpdf": "fpdf2",
    "git": "gitpython",
    "gi": "pygobject",
    "github": "pygithub",
    "gitlab": "python-gitlab",
    "google": "protobuf google-auth",
    "grpc": "grpcio",
    "grpc_tools": "grpcio-tools",
    "ImageHash": "imagehash",
    "jose": "python-jose",
    "jwt": "pyjwt",
    "kafka": "kafka-python kafka-python-ng",
    "ldap": "python-ldap",
    "ldap3": "ldap3",
    "lxml": "lxml",
    "magic": "python-magic",
    "markdown": "markdown",
    "Levenshtein": "python-levenshtein levenshtein rapidfuzz",
    "MySQLdb": "mysqlclient",
    "mpl_toolkits": "matplotlib",
    "nacl": "pynacl",
    "openssl": "pyopenssl",
    "OpenSSL": "pyopenssl",
    "odf": "odfpy",
    "OpenGL": "pyopengl",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2 psycopg2-binary aiopg",
    "psycopg": "psycopg psycopg-binary",
    "pwiz": "peewee",
    "playhouse": "peewee",
    "pylab": "matplotlib",
    "pythoncom": "pywin32",
    "pywintypes": "pywin32",
    "win32api": "pywin32",
    "win32com": "pywin32",
    "win32con": "pywin32",
    "win32gui": "pywin32",
    "rudderstack": "rudder-sdk-python",
    "rest_framework": "djangorestframework",
    "rest_framework_simplejwt": "djangorestframework-simplejwt djangorestframework_simplejwt",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify awesome-slugify unicode-slugify",
    "socketio": "python-socketio",
    "engineio": "python-engineio",
    "speech_recognition": "speechrecognition",
    "sqlalchemy_utils": "sqlalchemy-utils",
    "talib": "ta-lib",
    "telebot": "pytelegrambotapi",
    "telegram": "python-telegram-bot",
    "tabula": "tabula-py",
    "tlz": "toolz cytoolz",
    "usb": "pyusb",
    "websocket": "websocket-client",
    "whois": "python-whois",
    "wx": "wxpython",
    "Xlib": "python-xlib",
    "xdist": "pytest-xdist",
    "yaml": "pyyaml ruamel.yaml",
    "zmq": "pyzmq",
    "PIL": "pillow pillow-simd",
    "pyximport": "cython",
}
"""Distributions by module, where the names differ."""

_DEPENDENCIES: Mapping[str, str] = {
    "aiohttp": "yarl multidict attr aiosignal frozenlist",
    "alembic": "sqlalchemy mako",
    "apscheduler": "tzlocal pytz",
    "azure-identity": "msal cryptography azure",
    "bandit": "yaml stevedore",
    "boto3": "botocore s3transfer jmespath dateutil",
    "celery": "kombu billiard vine amqp click",
    "cookiecutter": "jinja2 click yaml requests",
    "dash": "flask plotly werkzeug",
    "django": "asgiref sqlparse",
    "djangorestframework": "django",
    "fastapi": "starlette pydantic typing_extensions anyio annotated_types",
    "flask": "werkzeug jinja2 click itsdangerous markupsafe blinker",
    "geopandas": "shapely pandas numpy pyproj",
    "google-api-python-client": "googleapiclient google google_auth_httplib2 httplib2 uritemplate",
    "google-genai": "google pydantic httpx",
    "gradio": "pandas numpy fastapi pydantic httpx starlette uvicorn huggingface_hub",
    "httpx": "httpcore anyio certifi idna h11 sniffio",
    "ipykernel": "IPython traitlets jupyter_client tornado",
    "jupyter": "IPython ipywidgets notebook nbformat nbconvert traitlets",
    "jupyterlab": "IPython notebook nbformat traitlets",
    "keras": "numpy h5py",
    "langchain": "langchain_core langchain_text_splitters langsmith pydantic requests yaml",
    "langchain-openai": "langchain_core openai tiktoken",
    "langchain-community": "langchain langchain_core",
    "langgraph": "langchain_core",
    "litestar": "msgspec httpx anyio",
    "locust": "gevent requests flask",
    "matplotlib": "numpy PIL dateutil cycler",
    "mcp": "anyio httpx pydantic starlette uvicorn",
    "moviepy": "numpy imageio PIL",
    "nltk": "click regex tqdm joblib",
    "notebook": "IPython traitlets tornado",
    "openai": "httpx pydantic anyio",
    "anthropic": "httpx pydantic anyio",
    "opencv-python": "numpy",
    "opencv-python-headless": "numpy",
    "pandas": "numpy dateutil pytz",
    "passlib": "bcrypt",
    "plotly": "packaging",
    "pydantic": "pydantic_core typing_extensions annotated_types",
    "pydantic-settings": "pydantic dotenv",
    "pymongo": "bson gridfs dns",
    "pyspark": "py4j",
    "pytest": "pluggy iniconfig packaging",
    "pytest-django": "pytest django",
    "requests": "urllib3 certifi idna charset_normalizer chardet",
    "rich": "pygments markdown_it",
    "sanic": "sanic_routing httptools multidict",
    "scikit-learn": "numpy scipy joblib threadpoolctl",
    "scikit-image": "numpy scipy PIL imageio networkx",
    "scipy": "numpy",
    "seaborn": "matplotlib pandas numpy",
    "selenium": "urllib3 trio certifi",
    "sentence-transformers": "transformers torch numpy sklearn scipy huggingface_hub",
    "sphinx": "docutils jinja2 pygments babel",
    "sqlmodel": "sqlalchemy pydantic",
    "starlette": "anyio",
    "statsmodels": "numpy scipy pandas patsy",
    "streamlit": "pandas numpy altair PIL requests pyarrow tornado",
    "tensorflow": "keras numpy h5py google absl tensorboard",
    "torch": "numpy jinja2 networkx sympy typing_extensions",
    "torchvision": "torch numpy PIL",
    "transformers": "numpy tokenizers huggingface_hub requests tqdm yaml regex safetensors",
    "twisted": "zope incremental constantly automat",
    "typer": "click rich typing_extensions",
    "uvicorn": "click h11 httptools websockets uvloop watchfiles",
    "xgboost": "numpy scipy",
    "lightgbm": "numpy scipy",
    "yfinance": "pandas numpy requests bs4",
    "wtforms": "markupsafe",
    "flask-wtf": "wtforms flask itsdangerous",
    "flask-sqlalchemy": "sqlalchemy flask",
    "flask-migrate": "alembic flask flask_sqlalchemy sqlalchemy",
    "flask-login": "flask werkzeug",
    "flask-socketio": "socketio flask",
    "flask-restx": "flask werkzeug aniso8601 jsonschema",
}
"""Modules that projects import although they declare only the distribution that installs them."""

_RUNTIME_MODULES = word_set(
    """
    __main__ __future__ _typeshed setuptools pkg_resources distutils pip wheel pytest _pytest js pyodide
    pyodide_js micropython machine uos utime ujson network board digitalio busio bpy bmesh mathutils maya nuke
    hou unreal sublime sublime_plugin vim gdb lldb idaapi idc idautils ida_funcs obspython RPi dbutils awsglue
    apt dbus conans conan colab win32typing xbmc xbmcgui xbmcaddon xbmcplugin
    """
)
"""Modules that the program which runs the code provides; no manifest can declare them."""


def is_provided(top: str) -> bool:
    """Whether a top-level module comes with the interpreter or with the program that runs the code."""
    return top in sys.stdlib_module_names or top in _RUNTIME_MODULES


def canonical_name(distribution: str) -> str:
    """The normalised name (PEP 503): the same for `Foo.Bar`, `foo_bar` and `foo-bar`."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def has_distribution_of(distributions: Collection[str], top: str) -> bool:
    """Whether the module's own distribution is among them, under the module's name or a known other one."""
    names = (top, *_DISTRIBUTIONS.get(top, "").split())
    return any(canonical_name(name) in distributions for name in names)


def provides(distributions: Collection[str], top: str) -> bool:
    """Whether a distribution (by canonical name) or a dependency of one contains the module `top`."""
    wanted = canonical_name(top)
    return has_distribution_of(distributions, top) or any(
        _resembles(name, wanted) or _installs(name, top) for name in distributions
    )


def _resembles(distribution: str, wanted: str) -> bool:
    """`dotenv` in `python-dotenv`; `grpc-health` in `grpcio-health-checking`, part by part."""
    bare = wanted.replace("-", "")
    if len(bare) > 2 and bare in distribution.replace("-", ""):
        return True
    parts = distribution.split("-")
    return "-" in wanted and all(any(p.startswith(part) for p in parts) for part in wanted.split("-") if part)


def _installs(distribution: str, top: str) -> bool:
    """Whether the distribution installs the module, as a dependency or as a dependency of one."""
    direct = _DEPENDENCIES.get(distribution, "").split()
    return top in direct or any(
        top in _DEPENDENCIES.get(canonical_name(module), "").split() for module in direct
    )
