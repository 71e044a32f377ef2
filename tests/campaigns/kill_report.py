"""The figures of a kill campaign."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tests.campaigns.figures import none_of, quantiles, versions
from tests.campaigns.inspection import ModelCalls


@dataclass(kw_only=True)
class KillReport:
    """`faults` is empty after a successful campaign.

    deaths     kills by failpoint, "random", "while starting", "random, after progress"
    idle       kills of a service that had nothing to do
    ready      seconds from the start of a process until it answers /readyz
    resumed    seconds from the start of a process to the first message on any of its streams
    sequences  subscribers whose messages were all compared with the log
    """

    orders: int
    deaths: Counter[str] = field(default_factory=Counter)
    idle: int = 0
    ready: list[float] = field(default_factory=list)
    resumed: list[float] = field(default_factory=list)
    calls: ModelCalls = field(default_factory=ModelCalls)
    sequences: int = 0
    messages: int = 0
    connections: int = 0
    lost: list[str] = field(default_factory=list)
    repositories: list[str] = field(default_factory=list)
    wrong_sequences: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def kills(self) -> int:
        return self.deaths.total()

    @property
    def faults(self) -> list[str]:
        return [*self.lost, *self.repositories, *self.calls.repeated, *self.wrong_sequences, *self.others]


def show(report: KillReport, seed: int) -> str:
    """The figures, for a terminal and for the record."""
    calls = report.calls
    lines = [
        f"seed {seed}; {report.kills} kills, {report.orders} tasks, {report.seconds:.0f} s",
        versions(),
        "",
        *(f"{count:6} killed at {cause}" for cause, count in sorted(report.deaths.items())),
        f"{report.idle:6} of the kills hit a service that had nothing to do",
        "",
        f"{len(report.lost):6} accepted tasks, events or checkpoints lost",
        f"{len(report.repositories):6} repositories too many, or with a wrong head",
        f"{len(calls.repeated):6} completed model calls repeated, of {calls.answered} answered",
        f"{len(report.wrong_sequences):6} sequences with a gap, repeat, disorder or other bytes, of"
        f" {report.sequences} subscribers ({report.messages} messages, {report.connections} connections)",
        f"{len(report.others):6} other faults",
        "",
        f"{calls.uncommitted:6} answers came completely, and the kill before their commit;"
        f" {calls.paid_twice} were requested again",
        f"from restart to ready: {quantiles(report.ready)}",
        f"from restart to the first event on a stream: {quantiles(report.resumed)}",
        f"violations per kill: {none_of(report.kills)}" if not report.faults else "",
        *(f"VIOLATION {fault}" for fault in report.faults[:50]),
    ]
    return "\n".join(lines)
