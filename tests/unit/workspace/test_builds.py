"""What is kept of builds, over both databases."""

from __future__ import annotations

from gencode.workspace.builds.store import BuildStore, KeptHole
from tests.servers.workspace import workspace


async def test_a_build_is_stored_once_and_its_downloads_are_counted(database_url: str) -> None:
    async with workspace(database_url) as opened:
        builds = BuildStore(opened.database)
        for task_id in ("1", "2", "1"):
            await builds.add(task_id, "shop", "alice")
        await builds.count_download("1")
        await builds.add("1", "shop", "alice")
        found = await builds.of_blueprint("shop", 5)
        assert [(row.id, row.downloads) for row in found] == [("2", 0), ("1", 1)]
        assert [row.id for row in await builds.of_blueprint("shop", 1)] == ["2"]
        assert await builds.get("3") is None


async def test_what_a_model_has_written_is_known_within_its_scope(database_url: str) -> None:
    async with workspace(database_url) as opened:
        builds = BuildStore(opened.database)
        await builds.keep_holes("alice", {"a": KeptHole(body="first", model="m")})
        await builds.keep_holes("alice", {"a": KeptHole(body="second", model="n")})
        await builds.keep_holes("project:1", {"a": KeptHole(body="other", model="m")})
        assert await builds.kept_holes("alice", ["a", "b"]) == {"a": KeptHole(body="second", model="n")}
        assert await builds.kept_holes("bob", ["a"]) == {}
        await builds.forget_holes("alice", ["a", "b"])
        assert await builds.kept_holes("alice", ["a"]) == {}
        assert set(await builds.kept_holes("project:1", ["a"])) == {"a"}
