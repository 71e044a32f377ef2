"""Valid bodies of operations, of which the rows belong to the person who sends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from tests.campaigns.fuzzing.people import ACCESS_TOKEN, API_KEY, PASSWORD, People, Person

PATCH = """\
diff --git a/app.py b/app.py
new file mode 100644
--- /dev/null
+++ b/app.py
@@ -0,0 +1,4 @@
+import subprocess
+def find(name, seen=[]):
+    subprocess.run(f"grep {name}", shell=True)
+    return seen, "%s"
"""
TEXT = """\
The system must export reports as PDF within 10 seconds. %s

# 登录
系统必须在 5 次登录失败后锁定账户。
"""
SOURCE = "def area(w, h):\n    return w * h\n\n\ndef half(x):\n    return x / 2\n"

SPEC: Mapping[str, Any] = {
    "dataModels": [
        {
            "name": "Order",
            "fields": [{"name": "total", "type": "decimal"}],
            "relations": [{"name": "previous", "type": "ManyToOne", "target": "Order"}],
        }
    ],
    "businessFlows": [{"name": "ship", "steps": [{"text": "Ship it."}]}],
}
"""A blueprint."""


def first(person: Person, kind: str) -> str:
    return person.rows[kind][0] if person.rows[kind] else "00000000-0000-4000-8000-000000000000"


def user(people: People, person: Person, _random: Random) -> Any:
    name = f"new{people.number()}"
    return {"username": name, "email": f"{name}@example.com", "password": PASSWORD}


def credential(people: People, person: Person, _random: Random) -> Any:
    return {"name": f"{person.marker} {people.number()}", "provider": "github", "access_token": ACCESS_TOKEN}


def repository(people: People, person: Person, _random: Random) -> Any:
    return {"name": f"{person.marker} {people.number()}", "repository_url": people.repository}


def config(people: People, person: Person, _random: Random) -> Any:
    return {
        "name": f"{person.marker} {people.number()}",
        "provider": "compatible",
        "base_url": people.model_url,
        "model": "m",
        "api_key": API_KEY,
    }


def template(people: People, person: Person, _random: Random) -> Any:
    number = people.number()
    content = f"{person.marker}: {{{{ topic }}}}"
    return {"name": f"{person.marker} {number}", "identifier": f"t{number}", "content": content}


def diff(people: People, person: Person, _random: Random) -> Any:
    return {
        "name": f"{person.marker} {people.number()}",
        "repository_id": first(person, "repository"),
        "compare_type": "branch",
        "source_ref": "feature",
        "target_ref": "main",
    }


def source(_people: People, person: Person, _random: Random) -> Any:
    return {
        "knowledge_base_id": first(person, "base"),
        "document_id": first(person, "document"),
        "ordinal": 0,
        "sha256": "0" * 64,
        "text": "reports",
        "start": 0,
    }


def document(people: People, person: Person, random: Random) -> Any:
    return {"name": f"d{people.number()}", "text": TEXT % person.marker + str(random.random())}


def blueprint(people: People, person: Person, _random: Random) -> Any:
    return {"name": person.marker, "version_tag": f"1.{people.number()}", "spec": SPEC}


def template_set(people: People, person: Person, _random: Random) -> Any:
    number = people.number()
    version = f"{number // 9000}.0.{number % 9000}"
    manifest = {"name": "plain", "version": version, "files": [{"path": "a.py", "template": "a.j2"}]}
    return {
        "name": person.marker,
        "manifest": manifest,
        "files": {"a.j2": "NAME = [[ project.name | py ]]\n"},
    }


def named(people: People, person: Person, _random: Random) -> Any:
    number = people.number()
    return {"name": f"{person.marker} {number}", "code": f"c{number}"}


def deployment(people: People, person: Person, _random: Random) -> Any:
    return {
        "project_id": first(person, "project"),
        "name": person.marker,
        "env_name": f"e{people.number()}",
        "config_data": {"domain": "shop.example.com", "port": 8080, "variables": {"LOG_LEVEL": "info"}},
        "secrets": {"MAIL_PASSWORD": ACCESS_TOKEN},
    }


Example = Callable[[People, Person, Random], Any]
EXAMPLES: Mapping[str, Example] = {
    "generate": lambda p, w, r: {"prompt": w.marker, "repo_name": f"r{p.number()}"},
    "estimate": lambda p, w, r: {"prompt": w.marker, "repo_name": "r"},
    "compareCodeDiff": lambda p, w, r: {"code_diff_id": first(w, "compared")},
    "chat": lambda p, w, r: {"content": w.marker, "conversation_id": first(w, "asked")},
    "reviewCode": lambda p, w, r: {"patch": PATCH % w.marker},
    "indexKnowledgeBase": lambda p, w, r: {"knowledge_base_id": first(w, "base")},
    "parseDocument": lambda p, w, r: {"document_id": first(w, "uploaded")},
    "analyseRequirements": lambda p, w, r: {"document_id": first(w, "requirement")},
    "syncRepository": lambda p, w, r: {"repository_id": first(w, "repository")},
    "generateTests": lambda p, w, r: {"files": [{"path": "a.py", "text": SOURCE}], "functions": ["area"]},
    "retryTask": lambda p, w, r: {"max_tokens": 1},
    "changePlan": lambda p, w, r: {"files": [{"path": "a.py", "purpose": w.marker}], "summary": "s"},
    "sendMessage": lambda p, w, r: {"content": w.marker},
    "answerAgain": lambda p, w, r: {},
    "logIn": lambda p, w, r: {"username": w.name, "password": PASSWORD},
    "refreshSession": lambda p, w, r: {"refresh_token": w.refresh_token},
    "registerUser": user,
    "changeOwnPassword": lambda p, w, r: {"current_password": PASSWORD, "new_password": PASSWORD + "x"},
    "changeOwnUser": lambda p, w, r: {"nickname": w.name},
    "createUser": user,
    "changeUser": lambda p, w, r: {"nickname": "n", "role": "tester"},
    "resetPassword": lambda p, w, r: {"new_password": PASSWORD + "y"},
    "createGitCredential": credential,
    "changeGitCredential": lambda p, w, r: {"name": w.marker, "access_token": ACCESS_TOKEN},
    "createGitRepository": repository,
    "changeGitRepository": lambda p, w, r: {"name": f"{w.marker} {p.number()}"},
    "createCodeDiff": diff,
    "changeCodeDiff": lambda p, w, r: {"name": w.marker},
    "importBlueprint": lambda p, w, r: {
        "format": "dbml",
        "text": f"Table a {{\n  id int [pk]\n  b int [note: '{w.marker}']\n}}",
    },
    "createTeam": named,
    "changeTeam": lambda p, w, r: {"description": w.marker},
    "addTeamMember": lambda p, w, r: {"username": "bob", "role": "viewer"},
    "changeTeamMember": lambda p, w, r: {"role": "member"},
    "transferTeam": lambda p, w, r: {"member_id": w.rows["joined"][-1] if w.rows["joined"] else "x"},
    "createProject": named,
    "changeProject": lambda p, w, r: {"description": w.marker},
    "cloneProject": lambda p, w, r: {"new_name": f"{w.marker} {p.number()}"},
    "changeTeamPlan": lambda p, w, r: {"subscription_plan": "team", "max_members": 10},
    "validateBlueprint": lambda p, w, r: {"spec": SPEC},
    "createBlueprint": blueprint,
    "createProjectBlueprint": blueprint,
    "changeBlueprint": lambda p, w, r: {"name": w.marker, "spec": SPEC},
    "createBlueprintVersion": lambda p, w, r: {"version_tag": f"2.{p.number()}"},
    "createTemplate": template_set,
    "changeTemplate": lambda p, w, r: {"name": w.marker, "tags": ["x"]},
    "applyTemplate": lambda p, w, r: {"blueprint_id": first(w, "blueprint")},
    "createDeployment": deployment,
    "changeDeployment": lambda p, w, r: {"name": w.marker, "secrets": {"MAIL_PASSWORD": ACCESS_TOKEN}},
    "makeBlueprint": lambda p, w, r: {"text": f"{w.marker}: an order has a number and a total."},
    "parseForBlueprint": lambda p, w, r: {"text": f"{w.marker}: an invoice has a number."},
    "build": lambda p, w, r: {"blueprint_id": first(w, "blueprint"), "holes": "skeleton"},
    "generateBlueprint": lambda p, w, r: {"template_set": first(w, "set"), "stack": {"frontend": "vue"}},
    "regenerateBuild": lambda p, w, r: {"template_set": None, "allow_data_loss": True},
    "createModelConfig": config,
    "changeModelConfig": lambda p, w, r: {"name": w.marker, "api_key": API_KEY, "is_default": False},
    "createKnowledgeBase": lambda p, w, r: {"name": f"{w.marker} {p.number()}"},
    "changeKnowledgeBase": lambda p, w, r: {"description": w.marker},
    "addKnowledgeDocument": document,
    "searchKnowledgeBase": lambda p, w, r: {"query": "reports 登录", "limit": 3},
    "verifyQuotes": lambda p, w, r: {
        "quotes": [{"text": "reports", "source": 0}],
        "sources": [source(p, w, r)],
    },
    "importPromptTemplates": lambda p, w, r: {"templates": [template(p, w, r)]},
    "createPromptTemplate": template,
    "changePromptTemplate": lambda p, w, r: {"name": w.marker, "content": f"{w.marker} {{{{ topic }}}}"},
    "renderPromptTemplate": lambda p, w, r: {"variables": {"topic": w.marker}},
    "createConversation": lambda p, w, r: {"title": w.marker, "knowledge_base_id": first(w, "base")},
    "changeConversation": lambda p, w, r: {"title": w.marker},
    "createRequirementDocument": lambda p, w, r: {"name": w.marker, "original_content": TEXT % w.marker},
    "changeRequirementDocument": lambda p, w, r: {"name": w.marker},
    "decideReviewFinding": lambda p, w, r: {"status": "ignored", "reason": w.marker},
    "mattermost": lambda p, w, r: {"token": ACCESS_TOKEN, "text": "help"},
    "slack": lambda p, w, r: {"text": "help"},
}
"""By the name of the operation; uploads and patches have none."""
