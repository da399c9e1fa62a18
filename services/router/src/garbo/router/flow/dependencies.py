"""What every use case of the router works with."""

from dataclasses import dataclass

from garbo.router.flow.directory import Directory
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.ports.budgets import BudgetLeases
from garbo.router.ports.publisher import Publisher
from garbo.router.ports.store import Store
from garbo.router.ports.telemetry import Meter


@dataclass(frozen=True, slots=True)
class Dependencies:
    """One lane's own store and budget leases, and what it shares with the others."""

    store: Store
    publisher: Publisher
    meter: Meter
    policies: PolicyInForce
    directory: Directory
    hash_key: bytes
    """Addresses are looked up by their hash with this."""
    budget_leases: BudgetLeases | None = None
    """Budgets over all people; None where nothing is granted."""
