"""The template chosen for a request, and what is reported as missing."""

from __future__ import annotations

import pytest

from gencode.embedded.offline.keyword_tables import TECHNOLOGIES, Purpose, Template
from gencode.embedded.offline.template_choice import choose_template

VUE_DOCUMENT = """\
# Introduction
This document details the requirements for a web frontend application focused on user login and registration.
Built using Vue 2.x and Babel 6.x in JavaScript, the application will offer a modern, responsive design.

# Dependencies
- **Vue Router:** For navigation between pages.
- **Axios:** For making HTTP requests to the backend.
"""

CPP_DOCUMENT = """\
# Introduction

The project requires the realization of shape class to achieve area, requiring virtual functions.

## Requirements

- **Technology Stack**: C++17.
- User input for dimensions (radius, width, height, side length) of shapes.
"""

PYTORCH_REQUEST = (
    "Hey! Could you help me set up a system to classify images from the Fashion-MNIST dataset using the "
    "ResNet-18 model in PyTorch? The Fashion-MNIST dataset should be loaded in `src/data_loader.py`. I want "
    "the system to show the training progress with the tqdm library in the training loop in `src/train.py`."
)


@pytest.mark.parametrize(
    ("request_text", "template"),
    [
        ("创建一个Python Flask Web应用，包含用户认证功能", "flask-auth"),
        ("Create a Flask app with login", "flask-auth"),
        ("Implement a website with user registration and login", "flask-auth"),
        ("做一个用户登录系统", "flask-auth"),
        ("A small flask site for recipes", "flask"),
        ("图书管理系统", "flask"),
        ("用 Python 做一个网站", "flask"),
        ("Build a REST API with FastAPI for managing books", "fastapi"),
        ("写一个FastAPI接口，管理图书", "fastapi"),
        ("Create a REST API in Python", "fastapi"),
        ("Create an Express server for a chat application", "express"),
        ("用Node.js和Express做一个博客后端", "express"),
        ("基于express框架的留言板", "express"),
        ("Node.js REST API for recipes", "express"),
        ("Write an HTTP service in Go that shortens URLs", "go"),
        ("用Go写一个短链接服务", "go"),
        ("基于Go语言的后端服务，通过大模型根据用户提示词生成代码", "go"),
        ("write a link shortener in go", "go"),
        ("a golang microservice", "go"),
        ("Build a landing page for my bakery", "static"),
        ("做一个个人主页，HTML和CSS", "static"),
        ("JavaScript calculator", "static"),
        ("Write a command line tool to rename photos by date", "cli"),
        ("写一个命令行工具，批量重命名文件", "cli"),
        ("用Python写一个爬虫抓取网页", "cli"),
        ("Please implement a Naive Bayes classifier for the 20 Newsgroups dataset", "cli"),
        ("Make a game", "cli"),
        ("", "cli"),
    ],
)
def test_a_request_gets_the_template_of_the_technology_it_names(request_text: str, template: str) -> None:
    choice = choose_template(request_text)
    assert (choice.template, choice.nearest_to) == (template, "")


@pytest.mark.parametrize(
    ("request_text", "template", "named"),
    [
        (VUE_DOCUMENT, "static", "Vue"),
        (CPP_DOCUMENT, "cli", "C++"),
        (PYTORCH_REQUEST, "cli", "PyTorch"),
        ("The application must be written in Java.", "cli", "Java"),
        ("Create a Spring Boot REST API for orders", "fastapi", "Spring"),
        ("a REST API in Rust", "fastapi", "Rust"),
        ("Django blog", "flask", "Django"),
        ("Django blog with user accounts", "flask-auth", "Django"),
        ("NestJS backend", "express", "NestJS"),
        ("使用Gin框架的Go服务", "go", "Gin"),
        ("React app", "static", "React"),
        ("用Rust写一个命令行计算器", "cli", "Rust"),
        ("C语言学生成绩程序", "cli", "C"),
        ("微信小程序", "static", "mini program (小程序)"),
    ],
)
def test_a_technology_without_a_template_gets_the_nearest_and_is_reported(
    request_text: str, template: str, named: str
) -> None:
    choice = choose_template(request_text)
    assert (choice.template, choice.nearest_to) == (template, named)


@pytest.mark.parametrize(
    "request_text",
    [
        "Build something that lets users go to work",
        "Let's go! Express yourself: a poem generator",
        "The system should react to changes, and express delivery costs more",
        "a node of the graph, with the rest of the tree",
        "iron and rust, swift as the wind, in unity",
    ],
)
def test_ordinary_words_are_not_technologies(request_text: str) -> None:
    choice = choose_template(request_text)
    assert choice.template in (Template.CLI, Template.STATIC)
    assert choice.nearest_to == ""


@pytest.mark.parametrize("request_text", ["a Go service without Flask", "不使用Flask，用Go写一个服务"])
def test_a_negated_technology_is_not_chosen(request_text: str) -> None:
    assert choose_template(request_text).template == Template.GO


def test_a_framework_takes_precedence_over_a_language() -> None:
    assert (
        choose_template("Java and Python and JavaScript clients for a FastAPI service").template
        == Template.FASTAPI
    )


def test_a_framework_with_a_template_takes_precedence_over_one_without() -> None:
    choice = choose_template("a Vue frontend with a Flask backend")
    assert (choice.template, choice.nearest_to, choice.unused_technologies) == (Template.FLASK, "", ("Vue",))


def test_the_first_purpose_named_is_the_main_one() -> None:
    assert choose_template("a CLI that downloads web pages").template == Template.CLI
    assert choose_template("a web page about my CLI").template == Template.STATIC


def test_other_technologies_are_reported_as_unused() -> None:
    choice = choose_template("Flask shop with MySQL, Redis, Docker and SQLite")
    assert choice.unused_technologies == ("MySQL", "Redis", "Docker")


def test_purposes_that_the_template_does_not_serve_are_reported() -> None:
    assert choose_template("a CLI in golang").unmet_purposes == (Purpose.CLI,)
    assert choose_template("FastAPI service with authentication").unmet_purposes == (Purpose.AUTH,)
    assert choose_template("Flask app with authentication").unmet_purposes == ()


def test_every_technology_is_recognised_by_its_own_name() -> None:
    for word in TECHNOLOGIES:
        choice = choose_template(f"Something in {word.name}")
        found = {choice.nearest_to, *choice.unused_technologies}
        assert word.has_template or word.name in found, word.name


def test_only_the_beginning_of_a_huge_request_is_scanned() -> None:
    assert choose_template("x " * 10**6 + "golang").template == Template.CLI
