"""What every use case of the router works with."""

from dataclasses import dataclass

from garbo.router.flow.directory import Directory
from garbo.router.flow.policies import Policies
from garbo.router.ports import Announcer, Meter, Store
from garbo.router.work_ports import Stock


@dataclass(frozen=True, slots=True)
class Means:
    """One lane's own store and stock, and what it shares with the others."""

    store: Store
    announcer: Announcer
    meter: Meter
    policies: Policies
    directory: Directory
    hash_key: bytes
    """Addresses are looked up by their hash with this."""
    stock: Stock | None = None
    """Budgets over all people; None where nothing is granted."""
