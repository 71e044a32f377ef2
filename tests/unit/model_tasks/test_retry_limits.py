"""What a retry may change obeys one rule in every kind."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from gencode.bootstrap.app import BUILTIN_KINDS
from gencode.bootstrap.workspace import KINDS

MODELS = {
    factory.kind.name: factory.kind.retry_model
    for factory in (*BUILTIN_KINDS, *KINDS)
    if "deadline" in factory.kind.retry_model.model_fields
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_passed_deadline_is_refused(model: type[BaseModel]) -> None:
    with pytest.raises(ValidationError, match="must be in the future"):
        model.model_validate({"deadline": "2000-01-01T00:00:00Z"})
    assert model.model_validate({"deadline": None}).model_dump(exclude_unset=True) == {"deadline": None}
    model.model_validate({"deadline": "2999-01-01T00:00:00Z"})
