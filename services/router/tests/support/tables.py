"""What the store in memory holds."""

from copy import copy
from dataclasses import dataclass, field, fields

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.domain.state import RecipientState, Send
from garbo.router.domain.templates import Templates
from garbo.router.ports.budgets import BudgetLease
from garbo.router.ports.contacts import ClaimedMerge, ConsentEvidence, ConsentKey, Contact, Suppression
from garbo.router.ports.publisher import OutgoingRecord
from garbo.router.ports.store import Deferred, StoredDecision


@dataclass(slots=True)
class Tables:
    """What is stored; a transaction works on a copy."""

    aliases: dict[str, Contact] = field(default_factory=dict)
    states: dict[ContactId, RecipientState] = field(default_factory=dict)
    decisions: dict[MessageId, StoredDecision] = field(default_factory=dict)
    grants: dict[MessageId, Grant] = field(default_factory=dict)
    deferred: dict[MessageId, Deferred] = field(default_factory=dict)
    evidence: dict[ConsentKey, ConsentEvidence] = field(default_factory=dict)
    erased_consents: frozenset[ConsentKey] = frozenset()
    """Proofs of consent whose person was erased."""
    recorded_for: dict[ConsentKey, ContactId] = field(default_factory=dict)
    """Whom each proof was recorded for, whoever they turned out to be since."""
    homes: dict[ContactId, ContactId] = field(default_factory=dict)
    """Contact -> its home, where that is another one."""
    claimed_merges: dict[ContactId, ClaimedMerge] = field(default_factory=dict)
    erased_addresses: dict[str, int] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    suppressions: dict[tuple[str, str], Suppression] = field(default_factory=dict)
    cancelled: dict[tuple[str, str], int] = field(default_factory=dict)
    counted: dict[tuple[ContactId, str], tuple[Send, ...]] = field(default_factory=dict)
    outbox: tuple[OutgoingRecord, ...] = ()
    leases: dict[int, BudgetLease] = field(default_factory=dict)
    swept: frozenset[tuple[str, str]] = frozenset()
    templates: Templates = field(default_factory=Templates)

    def copied(self) -> "Tables":
        """Copy the tables; their rows are frozen."""
        twin = copy(self)
        for each in fields(self):
            value = getattr(self, each.name)
            setattr(twin, each.name, dict(value) if isinstance(value, dict) else value)
        return twin
