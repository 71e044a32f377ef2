"""The figures of a cluster campaign."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.campaigns.cluster_audit import Audit, CallFigures
from tests.campaigns.figures import none_of, quantiles, versions


@dataclass(kw_only=True)
class ClusterReport:
    """`faults` is empty after a successful campaign.

    killed_workers  when (seconds since the epoch), and which
    long_freezes    of the freezes, those longer than the stale time
    taken_over      seconds from the end of a worker to the start of its task by another one
    sequences       subscribers whose messages were all compared with the log
    """

    orders: int
    killed_workers: list[tuple[float, int]] = field(default_factory=list)
    killed_webs: int = 0
    freezes: int = 0
    long_freezes: int = 0
    starts: int = 0
    taken_over: list[float] = field(default_factory=list)
    calls: CallFigures = field(default_factory=CallFigures)
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
        return len(self.killed_workers) + self.killed_webs

    @property
    def faults(self) -> list[str]:
        return [*self.lost, *self.repositories, *self.calls.faults, *self.wrong_sequences, *self.others]

    def measure(self, audit: Audit) -> None:
        """A start that another worker makes after the kill of the last owner is a take-over."""
        self.starts = sum(map(len, audit.starts.values()))
        for at, worker in self.killed_workers:
            for starts in audit.starts.values():
                before = [start for start in starts if start[0] <= at]
                after = [start for start in starts if start[0] > at]
                if before and after and before[-1][1] == worker:
                    self.taken_over.append(after[0][0] - at)


def show(report: ClusterReport, seed: int) -> str:
    """The figures, for a terminal and for the record."""
    calls = report.calls
    lines = [
        f"seed {seed}; {report.kills} kills ({report.killed_webs} of web processes), {report.freezes} stops"
        f" ({report.long_freezes} longer than the stale time), {report.orders} tasks, {report.seconds:.0f} s",
        versions(),
        "",
        f"{len(report.lost):6} accepted tasks, events or checkpoints lost",
        f"{len(report.repositories):6} repositories too many, or with a wrong head",
        f"{len(calls.faults):6} calls for what was stored, or of a displaced worker after its successor's,"
        f" of {calls.made}",
        f"{len(report.wrong_sequences):6} sequences with a gap, repeat, disorder or other bytes, of"
        f" {report.sequences} subscribers ({report.messages} messages, {report.connections} connections)",
        f"{len(report.others):6} other faults",
        "",
        f"{calls.answered} calls were answered, {calls.again} again: the one before was not stored",
        f"{calls.displaced} calls left a displaced worker before its successor's first",
        f"{report.starts} starts of tasks",
        f"from the end of a worker to the next start of its tasks: {quantiles(report.taken_over)}",
        f"violations per disturbance: {none_of(report.kills + report.freezes)}" if not report.faults else "",
        *(f"VIOLATION {fault}" for fault in report.faults[:50]),
    ]
    return "\n".join(lines)
