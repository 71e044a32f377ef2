"""Official template sets are proven as those of users are; a process that fails rejects no set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from gencode.blueprints.template_sets import (
    RenderedSet,
    RendererFailed,
    SetContent,
    TemplateRenderer,
    official_content,
    official_sets,
)
from gencode.workspace.errors import TemplateCheckFailed
from gencode.workspace.templates.proofs import TemplateProofs


@pytest.mark.campaign
@pytest.mark.parametrize("name", official_sets())
async def test_an_official_set_is_proven_on_the_corpus(name: str) -> None:
    async with TemplateProofs() as proofs:
        assert await proofs.prove(official_content(name), "alice") == []


async def test_a_process_that_fails_rejects_no_set(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(
        _self: TemplateRenderer, _content: SetContent, _contexts: Sequence[Mapping[str, Any]]
    ) -> Sequence[RenderedSet]:
        raise RendererFailed("the system ended it")

    monkeypatch.setattr(TemplateRenderer, "render", fail)
    async with TemplateProofs() as proofs:
        with pytest.raises(TemplateCheckFailed, match="try again"):
            await proofs.prove(official_content("common"), "alice")
