"""What dashboards are told."""

from dataclasses import dataclass
from typing import Protocol


class Meter(Protocol):
    """Counts what happens, for dashboards."""

    def decided(self, *, message_class: str | None, verdict: str, reason: str) -> None:
        """Count a new decision."""
        ...

    def repeated(self) -> None:
        """Count a request that had been decided before."""
        ...

    def said_before_erasure(self, count: int) -> None:
        """Count events that are left out: their person was erased after they were said."""
        ...

    def resurrected(self) -> None:
        """Count a message that arrived after its slot had been given back: somebody should look."""
        ...

    def asked_as_care(self, *, client: str, demoted: bool, unprompted: bool) -> None:
        """Count a request called care: if it was taken for one, and if the person had written lately."""
        ...


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, for dashboards."""

    deferred: int
    oldest_due_s: float
    """How long the oldest request that is due is due already; 0 when none is."""
    outbox: int
    oldest_outbox_s: float
    unexpired_s: float
    """How long ago the oldest lease ended that may not have been looked at yet."""


class JobMeter(Protocol):
    """Counts what the router does by itself, for dashboards."""

    def retried(self, *, verdict: str) -> None:
        """Count a deferred request that was decided again."""
        ...

    def released(self, reason: str) -> None:
        """Count a grant that was taken back: lease_expired, policy_changed, campaign_cancelled."""
        ...

    def published(self, count: int) -> None:
        """Count records of the outbox that were published."""
        ...

    def show(self, backlog: Backlog) -> None:
        """Show what waits."""
        ...

    def silent(self, count: int) -> None:
        """Show how many claimed grants nothing was heard of."""
        ...

    def failed(self, job: str, why: str) -> None:
        """Count a round of work that is to be tried again."""
        ...


class PolicyMeter(Protocol):
    """Shows which policy is in force, and whether the file is another."""

    def policy_in_force(self, *, name: str, version: str) -> None:
        """Show it."""
        ...

    def file_refused(self, *, refused: bool) -> None:
        """Show whether the file, as it is now, was refused."""
        ...
