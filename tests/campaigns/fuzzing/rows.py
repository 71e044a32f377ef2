"""Makes the rows that requests are about: some of each kind for each person, and new ones to delete."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from tests.campaigns.fuzzing.examples import EXAMPLES, PATCH, TEXT, first
from tests.campaigns.fuzzing.files import form
from tests.campaigns.fuzzing.people import People, Person

CREATED_BY: Mapping[str, tuple[str, str]] = {
    "credential": ("/git/credentials", "createGitCredential"),
    "config": ("/ai/models", "createModelConfig"),
    "template": ("/prompts", "createPromptTemplate"),
    "requirement": ("/requirements", "createRequirementDocument"),
    "base": ("/knowledge/bases", "createKnowledgeBase"),
    "conversation": ("/chat/conversations", "createConversation"),
    "repository": ("/git/repositories", "createGitRepository"),
    "team": ("/teams", "createTeam"),
    "project": ("/projects", "createProject"),
    "blueprint": ("/blueprints", "createBlueprint"),
    "set": ("/templates", "createTemplate"),
    "deployment": ("/deployments", "createDeployment"),
}
"""The path and the operation that make a row of each kind."""
CAN_BE_MADE = frozenset((*CREATED_BY, "diff", "document"))
"""Of other kinds, those of resources that are newer than this campaign among them, no row is made."""
KINDS = {
    "/api/v1/git/credentials/": "credential",
    "/api/v1/git/repositories/": "repository",
    "/api/v1/code-diffs/": "diff",
    "/api/v1/ai/models/": "config",
    "/api/v1/knowledge/bases/": "base",
    "/api/v1/prompts/": "template",
    "/api/v1/chat/conversations/": "conversation",
    "/api/v1/requirements/": "requirement",
    "/api/v1/reviews/findings/": "finding",
    "/api/v1/teams/": "team",
    "/api/v1/projects/": "project",
    "/api/v1/blueprints/": "blueprint",
    "/api/v1/templates/": "set",
    "/api/v1/deployments/": "deployment",
    "/api/v1/users/": "user",
    "/api/v1/auth/sessions/": "session",
}
"""Of the `id` in a path that begins so."""
_VALID = Random()
_VALID.random = lambda: 0.0  # type: ignore[method-assign] # examples with addresses that may be called


async def new_row(people: People, person: Person, kind: str) -> str:
    if kind == "diff":
        return await _patch(people, person)
    if kind == "document":
        return await _document(people, person)
    path, operation = CREATED_BY[kind]
    body = EXAMPLES[operation](people, person, _VALID)
    return str((await people.call(person, "POST", path, json=body)).json()["id"])


async def prepare(people: People, person: Person) -> None:
    """Two rows of each kind that a person can own, and tasks of each kind that are over."""
    for kind in CREATED_BY:
        for _ in range(2):
            person.rows[kind].append(await new_row(people, person, kind))
    await people.task(person, "/git/repositories/sync", {"repository_id": first(person, "repository")})
    for _ in range(2):
        person.rows["diff"].append(await _patch(people, person))
        person.rows["document"].append(await _document(people, person))
    compared = await people.call(
        person, "POST", "/code-diffs", json=EXAMPLES["createCodeDiff"](people, person, _VALID)
    )
    person.rows["compared"].append(compared.json()["id"])
    await people.task(person, "/code-diffs/compare", {"code_diff_id": first(person, "compared")})
    await _documents(people, person)
    await _tasks(people, person)
    await _blueprints(people, person)


async def _blueprints(people: People, person: Person) -> None:
    """Sets that are proven, builds, and drafts with proposals."""
    for row in person.rows["set"]:
        await people.call(person, "POST", f"/templates/{row}/prove")
    built = await people.task(person, "/pipelines/build", EXAMPLES["build"](people, person, _VALID))
    person.rows["built"].append(built["task_id"])
    body = EXAMPLES["makeBlueprint"](people, person, _VALID)
    made = await people.task(person, "/pipelines/blueprint", body)
    person.rows["drafted"].append(made["task_id"])
    draft, proposal = await new_proposal(people, person)
    person.rows["draft"].append(draft)
    person.rows["proposal"].append(proposal)


async def new_proposal(people: People, person: Person) -> tuple[str, str]:
    """The ids of a new draft, and of a change of it that is proposed."""
    draft = await new_row(people, person, "blueprint")
    body = EXAMPLES["parseForBlueprint"](people, person, _VALID)
    task = await people.task(person, f"/blueprints/{draft}/parse", body)
    return draft, str(task["proposal_id"])


async def _documents(people: People, person: Person) -> None:
    content = form("a.md", (TEXT % person.marker).encode())
    kind = {"content-type": "multipart/form-data; boundary=b0"}
    uploaded = await people.call(person, "POST", "/requirements/upload", content=content, headers=kind)
    person.rows["uploaded"].append(uploaded.json()["id"])
    broken = form("a.pdf", b"%PDF-1.7 " + person.marker.encode())
    path = f"/knowledge/bases/{first(person, 'base')}/documents/upload"
    failed = (await people.call(person, "POST", path, content=broken, headers=kind)).json()
    await people.over(person, failed["task_id"])
    person.rows["unreadable"].append(failed["id"])
    first_version, second = person.rows["requirement"][0], uploaded.json()["id"]
    await people.over(person, uploaded.headers["location"].rpartition("/")[2])
    for document_id in (first_version, second):
        task = await people.task(person, "/pipelines/requirement-analysis", {"document_id": document_id})
        person.rows["analysis"].append(task["task_id"])


async def _tasks(people: People, person: Person) -> None:
    body = {"patch": PATCH % person.marker, "subject": person.marker}
    review = await people.task(person, "/pipelines/code-review", body)
    person.rows["review"].append(review["task_id"])
    findings = (await people.call(person, "GET", "/reviews/findings")).json()["items"]
    person.rows["finding"] += [one["id"] for one in findings]
    tests = await people.task(
        person, "/pipelines/test-generation", EXAMPLES["generateTests"](people, person, _VALID)
    )
    person.rows["tests"].append(tests["task_id"])
    generated = await people.task(person, "/generate", EXAMPLES["generate"](people, person, _VALID))
    person.rows["generated"].append(generated["task_id"])
    files = (await people.call(person, "GET", f"/task/{generated['task_id']}/files")).json()["files"]
    person.rows["file"] += [one["path"] for one in files]
    body = EXAMPLES["generate"](people, person, _VALID)
    person.rows["failed"].append(
        (await people.task(person, "/generate", body | {"max_tokens": 1}))["task_id"]
    )
    person.rows["paused"].append(await paused_task(people, person))
    asked = person.rows["asked"]
    asked.append(await new_row(people, person, "conversation"))
    answer = await people.call(
        person, "POST", f"/chat/conversations/{asked[0]}/messages", json={"content": person.marker}
    )
    await people.over(person, answer.json()["task_id"])
    messages = (await people.call(person, "GET", f"/chat/conversations/{asked[0]}/messages")).json()["items"]
    person.rows["message"] += [one["id"] for one in messages if one["role"] == "assistant"]


async def new_team(people: People, owner: Person, member: str) -> tuple[str, str]:
    """A team with a second member, by name: the ids of both."""
    team = await new_row(people, owner, "team")
    body = {"username": member, "role": "member"}
    joined = (await people.call(owner, "POST", f"/teams/{team}/members", json=body)).json()
    owner.rows["joined"].append(joined["id"])
    return team, str(joined["id"])


async def paused_task(people: People, person: Person) -> str:
    body = EXAMPLES["generate"](people, person, _VALID) | {"approve_plan": True}
    return str((await people.task(person, "/generate", body, until="paused"))["task_id"])


async def _patch(people: People, person: Person) -> str:
    headers = {"content-type": "text/x-diff"}
    content = (PATCH % person.marker).encode()
    answer = await people.call(person, "POST", "/code-diffs/patch", content=content, headers=headers)
    return str(answer.json()["id"])


async def _document(people: People, person: Person) -> str:
    body = EXAMPLES["addKnowledgeDocument"](people, person, Random(people.number()))
    path = f"/knowledge/bases/{first(person, 'base')}/documents"
    answer = (await people.call(person, "POST", path, json=body)).json()
    if answer.get("task_id"):
        await people.over(person, answer["task_id"])
    return str(answer["id"])
