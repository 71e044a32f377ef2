"""Charges model calls that were in progress when the process was killed, if their task ends before its next
call. That call would charge them: a usage event has the total of all before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict

from gencode.codegen.file_checkpoints import Checkpoints
from gencode.domain.errors import Invalid
from gencode.engine.ports.pipeline import StageUpdate
from gencode.llm.budget import Budget, BudgetTracker
from gencode.llm.charge_checkpoints import open_calls, settled, subject
from gencode.llm.port import Usage
from gencode.llm.prices import Price

FindPrice = Callable[[str], Price | None]
"""The price of a model. Raises Invalid for one that is not configured any more."""


def lost_call_updates(
    checkpoints: Checkpoints, spent: Callable[[Checkpoints], Usage], model: str, price: FindPrice
) -> Iterator[StageUpdate]:
    """For each call that is still open, a usage event that charges its reserve and settles the call. `spent`:
    returns the usage that is recorded in checkpoints."""
    if not (lost := open_calls(checkpoints)):
        return
    others = {name: text for name, text in checkpoints.items() if name not in lost}
    account = BudgetTracker(spent(others), Budget(), _price(price, model))
    for name, reserve in lost.items():
        account.add(reserve)
        data = {"about": subject(name), "tokens": asdict(reserve), "total": account.view()}
        yield StageUpdate(kind="usage", data=data, checkpoints=settled(name, reserve), is_progress=False)


def _price(find: FindPrice, model: str) -> Price | None:
    try:
        return find(model)
    except Invalid:
        return None
