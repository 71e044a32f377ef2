"""Drafts and proposals of tasks, over both databases."""

from __future__ import annotations

from collections import Counter
from typing import Any

import anyio
import pytest

from gencode.blueprints import Blueprint
from gencode.blueprints.comparison.compare import document
from gencode.domain.errors import Forbidden, NotFound, RequestError
from gencode.workspace.blueprints.proposals.decisions import ProposalDecisions
from gencode.workspace.blueprints.resource import BLUEPRINTS
from gencode.workspace.blueprints.task_results import BlueprintResults
from gencode.workspace.errors import ProposalOutdated
from gencode.workspace.identity.actor import Actor
from gencode.workspace.projects.resource import PROJECTS
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import workspace

pytestmark = pytest.mark.campaign
ALICE, BOB = Actor(id="alice"), Actor(id="bob")


def spec(*names: str) -> dict[str, Any]:
    models = [{"name": name, "fields": [{"name": "title", "type": "string"}]} for name in names]
    return document(Blueprint.model_validate({"dataModels": models}))


DRAFT = {"name": "D", "version_tag": "1", "spec": spec("Order")}


async def proposed(
    opened: Workspace, task_id: str, blueprint_id: str, *names: str, actor: Actor = ALICE
) -> str:
    values = {"blueprint_id": blueprint_id, "name": "D", "base_version": 1, "base": spec("Order")}
    row = await BlueprintResults(opened).propose(task_id, {**values, "spec": spec("Order", *names)}, actor)
    return row.id


async def test_a_draft_is_made_once_however_often_its_task_repeats_it(database_url: str) -> None:
    async with workspace(database_url) as opened:
        results, drafts = BlueprintResults(opened), opened.resource(BLUEPRINTS)
        values = {"name": "D", "project_id": None, "version_tag": None, "spec": spec("Order")}
        made: Counter[str] = Counter()

        async def create(task_id: str) -> None:
            made[(await results.create_draft(task_id, values, ALICE)).id] += 1

        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(create, "1")
            group.start_soon(create, "2")
        assert sorted(made.values()) == [1, 4]
        (first,) = [row_id for row_id, count in made.items() if count == 4]
        await drafts.delete(first, ALICE, None)
        assert (await results.create_draft("1", values, ALICE)).id == first
        with pytest.raises(NotFound):
            await drafts.get(first, "alice")


async def test_a_tag_that_is_taken_in_the_project_gets_a_number(database_url: str) -> None:
    async with workspace(database_url) as opened:
        project = await opened.resource(PROJECTS).create({"name": "P", "code": "p"}, ALICE)
        values = {"name": "D", "project_id": project.id, "spec": spec("Order")}
        results, tags = BlueprintResults(opened), set[str]()

        async def create(task_id: str, tag: str | None) -> None:
            row = await results.create_draft(task_id, {**values, "version_tag": tag}, ALICE)
            tags.add(row.version_tag)

        async with anyio.create_task_group() as group:
            for number, tag in enumerate([None, None, None, "9.0"]):
                group.start_soon(create, str(number), tag)
        await create("5", "9.0")
        assert tags == {"0.1.0", "0.2.0", "0.3.0", "9.0", "9.0-2"}
        with pytest.raises(RequestError):
            await results.create_draft("6", {**values, "version_tag": None}, BOB)


async def test_of_two_proposals_for_one_draft_one_is_accepted(database_url: str) -> None:
    async with workspace(database_url) as opened:
        drafts, decisions = opened.resource(BLUEPRINTS), ProposalDecisions(opened)
        draft = await drafts.create(DRAFT, ALICE)
        proposals = [await proposed(opened, task_id, draft.id, f"Added{task_id}") for task_id in "12"]
        assert await proposed(opened, "1", draft.id, "Other") == proposals[0]
        outcomes: Counter[str] = Counter()

        async def accept(proposal_id: str) -> None:
            try:
                await decisions.accept(draft.id, proposal_id, ALICE, None)
                outcomes["accepted"] += 1
            except RequestError as error:
                outcomes[error.code] += 1

        async with anyio.create_task_group() as group:
            for proposal_id in proposals:
                group.start_soon(accept, proposal_id)
        assert outcomes.pop("accepted") == 1
        assert set(outcomes) <= {"VERSION_CHANGED", "PROPOSAL_OUTDATED"}
        changed = await drafts.get(draft.id, "alice")
        statuses = [(await decisions.get(draft.id, one, "alice")).status for one in proposals]
        assert (changed.version, sorted(statuses)) == (2, ["accepted", "pending"])
        with pytest.raises(ProposalOutdated):
            await decisions.accept(draft.id, proposals[statuses.index("pending")], ALICE, 2)


async def test_a_name_that_changes_does_not_make_a_proposal_outdated(database_url: str) -> None:
    async with workspace(database_url) as opened:
        drafts, decisions = opened.resource(BLUEPRINTS), ProposalDecisions(opened)
        draft = await drafts.create(DRAFT, ALICE)
        proposal = await proposed(opened, "1", draft.id, "Added")
        await drafts.change(draft.id, {"name": "E"}, ALICE, None)
        _, changed = await decisions.accept(draft.id, proposal, ALICE, None)
        assert (changed.name, changed.version, changed.entities) == ("E", 3, 2)


async def test_who_may_not_change_a_draft_neither_proposes_nor_decides(database_url: str) -> None:
    async with workspace(database_url) as opened:
        drafts, decisions = opened.resource(BLUEPRINTS), ProposalDecisions(opened)
        public = {"name": "P", "code": "p", "visibility": "public"}
        project = await opened.resource(PROJECTS).create(public, ALICE)
        draft = await drafts.create({**DRAFT, "project_id": project.id}, ALICE)
        proposal = await proposed(opened, "1", draft.id, "Added")
        assert (await decisions.get(draft.id, proposal, "bob")).status == "pending"
        for attempt in (
            proposed(opened, "2", draft.id, "Added", actor=BOB),
            decisions.accept(draft.id, proposal, BOB, None),
            decisions.reject(draft.id, proposal, BOB),
        ):
            with pytest.raises(Forbidden):
                await attempt
        own = await drafts.create(DRAFT, ALICE)
        with pytest.raises(NotFound):
            await proposed(opened, "3", own.id, "Added", actor=BOB)
        with pytest.raises(NotFound):
            await decisions.get(own.id, proposal, "alice")
