"""Budgets over all people, leased by each process in parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from garbo.router.domain.values import Value


class BudgetLease(Value, frozen=True):
    """A part of a budget that is this process's own to spend until the transaction ends."""

    lease_id: int
    rule: str
    scope: str
    period: int
    """First day of the rule's window, in days since 1970; 0 for a lifetime."""
    left: int


@dataclass(frozen=True, slots=True)
class BudgetRequest:
    """How many of a budget a batch may come to need."""

    rule: str
    scope: str
    period: int
    """First day of the rule's window, in days since 1970; 0 for a lifetime."""
    limit: int
    count: int


class BudgetLeases(Protocol):
    """Budgets over all people, leased in slices: each is one process's own until it rests for a while."""

    async def fill(self, wants: Sequence[BudgetRequest]) -> Sequence[int]:
        """See to it that this process holds what is wanted, as far as the limits go; returns its slices.

        A transaction of its own, before the batch. All slices together never hold more than the limit.
        """
        ...
