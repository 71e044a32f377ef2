"""The sums of model calls: exact, grouped, and with what is not certain counted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from gencode.llm.port import Usage
from gencode.llm.usage_ledger import LedgerCall
from gencode.workspace.tables import now
from gencode.workspace.usage.costs import cost_of, cost_parts, cost_text
from gencode.workspace.usage.sums import MAX_GROUPS, UsageQuery, usage_report
from gencode.workspace.usage.tables import ModelCall
from gencode.workspace.workspace import Workspace
from tests.servers.workspace import workspace

MONTH = f"{now():%Y-%m}"
ALL = UsageQuery(first=MONTH, last=MONTH)
COSTS = st.decimals(min_value=0, max_value=10**9, places=15)


@given(st.lists(COSTS, max_size=20))
def test_sums_of_costs_are_exact(costs: list[Decimal]) -> None:
    parts = [cost_parts(cost) for cost in costs]
    total = cost_of(sum(one or 0 for one, _ in parts), sum(one or 0 for _, one in parts))
    assert total == sum(costs, Decimal(0))
    assert Decimal(cost_text(total)) == total


def test_costs_as_text() -> None:
    texts = [cost_text(Decimal(value)) for value in ("0.000000000000000", "0.100", "100", "1E+2", "1.5E-7")]
    assert texts == ["0", "0.1", "100", "100", "0.00000015"]


def a_call(number: int, principal: str = "alice", **fields: str) -> LedgerCall:
    given = {"kind": "generate", "model": "deepseek/chat", "config_id": "", **fields}
    return LedgerCall(id=f"call:{number}", task_id="t", principal=principal, **given)


async def recorded(opened: Workspace, call: LedgerCall, usage: Usage, cost: Decimal | None) -> None:
    await opened.ledger.reserve(call, Usage(prompt=10**6), cost)
    await opened.ledger.settle(call, usage, cost)


async def test_groups_and_totals(database_url: str) -> None:
    async with workspace(database_url) as opened:
        await recorded(opened, a_call(1), Usage(prompt=100, completion=10, cached=5), Decimal("0.1"))
        await recorded(opened, a_call(2), Usage(prompt=200, completion=20), Decimal("0.2"))
        await recorded(opened, a_call(3, kind="chat"), Usage(prompt=1, estimated=True), None)
        await recorded(opened, a_call(4, "bob", model="claude/x"), Usage(prompt=7), Decimal("0.0000001"))
        await opened.ledger.reserve(a_call(5), Usage(prompt=1000, completion=1000), Decimal("5"))
        async with opened.database.transaction() as session:
            own = UsageQuery(first=MONTH, last=MONTH, group_by=("kind",), principal="alice")
            mine = await usage_report(session, own)
            every = await usage_report(
                session, UsageQuery(first=MONTH, last=MONTH, group_by=("user", "model"))
            )
            chosen = await usage_report(
                session, UsageQuery(first=MONTH, last=MONTH, model="claude/x", kind="x")
            )
            old = await usage_report(
                session, UsageQuery(first="2020-01", last="2020-12", group_by=("month",))
            )
    chat, generate = mine.groups
    assert (chat.by, chat.cost, chat.unpriced, chat.estimated) == ({"kind": "chat"}, None, 1, 1)
    assert (generate.calls, generate.prompt_tokens, generate.cached_tokens) == (3, 1300, 5)
    assert (generate.cost, generate.unsettled) == (Decimal("5.3"), 1)
    assert (mine.total.calls, mine.total.cost, mine.is_complete) == (4, Decimal("5.3"), True)
    assert [one.by for one in every.groups] == [
        {"user": "alice", "model": "deepseek/chat"},
        {"user": "bob", "model": "claude/x"},
    ]
    assert every.total.cost == Decimal("5.3000001")
    assert (chosen.total.calls, chosen.total.cost) == (0, None)
    assert (old.total.calls, list(old.groups)) == (0, [])


async def test_more_groups_than_are_shown(database_url: str) -> None:
    rows = [
        {"task_id": f"{number}", "call": "c", "kind": f"kind-{number:04}", "principal": "alice", "model": "m"}
        for number in range(MAX_GROUPS + 1)
    ]
    counts = {"month": MONTH, "prompt_tokens": 1, "completion_tokens": 1, "cached_tokens": 0}
    async with workspace(database_url) as opened, opened.database.transaction() as session:
        session.add_all(ModelCall(**row, **counts, is_estimated=False) for row in rows)
        await session.flush()
        report = await usage_report(session, replace(ALL, group_by=("kind",)))
        assert (len(report.groups), report.is_complete) == (MAX_GROUPS, False)
        assert report.total.calls == MAX_GROUPS + 1


async def test_the_limit_of_a_config_reads_the_index_alone(database_url: str) -> None:
    """Each call with a config sums its month before it is sent."""
    async with workspace(database_url) as opened, opened.database.transaction() as session:
        if session.get_bind().dialect.name != "sqlite":
            return
        columns = (
            ModelCall.prompt_tokens,
            ModelCall.completion_tokens,
            ModelCall.cost_micro,
            ModelCall.cost_rest,
        )
        query = select(*columns).where(ModelCall.config_id == "c", ModelCall.month == MONTH)
        sql = query.compile(compile_kwargs={"literal_binds": True})
        plan = (await session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))).all()
        assert "COVERING INDEX ix_model_calls_config_use" in str(plan)
