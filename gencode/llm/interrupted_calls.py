"""Charges model calls that were in progress when the process was killed, if their task ends before its next
call. That call would charge them: a usage event has the total of all before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict

from gencode.domain.errors import Invalid
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.budget import Budget, BudgetTracker
from gencode.llm.charge_checkpoints import open_calls, settled, subject
from gencode.llm.model_route import FAILOVER, EarlierModels
from gencode.llm.port import Usage
from gencode.llm.prices import Price

FindPrice = Callable[[str], Price | None]
"""The price of a model. Raises Invalid for one that is not configured any more."""


def lost_call_updates(
    checkpoints: Mapping[str, str],
    spent: Callable[[Mapping[str, str]], Usage],
    price: Callable[[], Price | None],
) -> Iterator[StageUpdate]:
    """For each call that is still open, a usage event that charges its reserve and settles the call.

    spent  returns the usage that is recorded in checkpoints
    price  of the task's model; raises Invalid if it is not configured any more. After a failover the price
           is unknown here, and so is the cost
    """
    if not (lost := open_calls(checkpoints)):
        return
    others = {name: text for name, text in checkpoints.items() if name not in lost}
    stored = checkpoints.get(FAILOVER)
    earlier = EarlierModels.model_validate_json(stored) if stored else None
    account = BudgetTracker(spent(others), Budget(), None if earlier else _known(price), earlier)
    for name, reserve in lost.items():
        account.add(reserve)
        data = {"about": subject(name), "tokens": asdict(reserve), "total": account.view()}
        yield StageUpdate(kind="usage", data=data, checkpoints=settled(name, reserve), is_progress=False)


def _known(price: Callable[[], Price | None]) -> Price | None:
    try:
        return price()
    except Invalid:
        return None
