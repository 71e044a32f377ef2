"""The registry of kinds refuses declarations that contradict each other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gencode.domain.errors import UnknownKind
from gencode.http.kinds import ActiveKinds, KindRegistry, KindRuntime
from tests.kinds.letter.kind import LETTER, LetterPipeline, prepare
from tests.unit.storage.samples import a_task

RUNTIME = KindRuntime(pipeline=LetterPipeline(), prepare=prepare)


def test_two_kinds_with_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        KindRegistry([LETTER.kind, LETTER.kind])


def test_a_kind_declares_the_stages_of_its_pipeline_in_order() -> None:
    titles = dict(reversed(LETTER.kind.stage_titles.items()))
    with pytest.raises(ValueError, match="other stages"):
        ActiveKinds(KindRegistry([replace(LETTER.kind, stage_titles=titles)]), {"letter": RUNTIME})


def test_statuses_are_those_of_every_kind_in_order() -> None:
    other = replace(LETTER.kind, name="other", stage_titles={"sending": {"en": "Sending"}, "waiting": {}})
    assert KindRegistry([LETTER.kind, other]).statuses == (
        *("pending", "drafting", "reviewing", "sending", "waiting"),
        *("completed", "failed", "cancelled"),
    )


def test_an_unknown_kind_has_a_label_and_nothing_of_its_own() -> None:
    kinds, task = ActiveKinds(KindRegistry([LETTER.kind]), {"letter": RUNTIME}), a_task(kind="teleport")
    assert (kinds.label(task), kinds.view(task), kinds.result_url(task)) == (task.id, {}, None)
    assert kinds.is_milestone(task, "failed")
    assert not kinds.is_milestone(task, "sending")
    with pytest.raises(UnknownKind):
        kinds.require(task)
