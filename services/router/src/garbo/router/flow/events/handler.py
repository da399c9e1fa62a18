"""What the router must know of every event, whatever its kind: one handler answers, one is made an event."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from garbo.common.errors import Reject
from garbo.common.events.addresses import Person, Recipient
from garbo.common.events.base import Event
from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.grant import Grant
from garbo.router.domain.policy import Policy
from garbo.router.domain.state import known_to, with_brands
from garbo.router.domain.values import Value
from garbo.router.flow.directory import Directory
from garbo.router.flow.identity import Identity, identity_of
from garbo.router.flow.unit_of_work import UnitOfWork
from garbo.router.ports.contacts import ConsentEvidence, ConsentKey


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event as it arrived."""

    event: Event
    trace: str | None = None
    record: str = ""
    """The Kafka record it came in: the same when that is read again."""


@dataclass(frozen=True, slots=True)
class EventContext:
    """What it takes to read an event and to apply it."""

    directory: Directory
    policy: Policy
    hash_key: bytes

    def identity_of(self, *names: Person | Recipient, create: bool = True) -> Identity:
        """Give a contact as an event names it, by all addresses it shows."""
        return identity_of(*names, hash_key=self.hash_key, create=create)


@dataclass(frozen=True, slots=True)
class EventTargets:
    """What an event names, in its own words."""

    contact: Identity | None = None
    """Whose event it is; None where it says nothing of anybody, or says so by a message alone."""
    message_id: MessageId | None = None
    """The message it is about."""
    wamid: str | None = None
    """The message it is about, or answers, by the reference of its wamid: the wamid itself holds a number."""
    shown: Identity | None = None
    """How the platform shows the person of that message: perhaps not as they were written to."""
    settles: bool = False
    """Whether it says what became of that message: it is its contact's event, then."""
    consent: ConsentKey | None = None
    """The record of consent it is. One of somebody who was erased since comes back to nobody."""
    tells_of: str | None = None
    """The inbound message others are told of, by its reference: once, however often it is delivered."""


class FoundTargets(Value, frozen=True):
    """What an event named, as it was found."""

    contact_id: ContactId | None
    """Whose event it is, by the addresses it shows: locked."""
    home_id: ContactId | None
    """By which id one writes to them at the address it shows: a client may have joined two people."""
    grant: Grant | None
    """The newest grant of the message, as it was before the locks."""
    recorded: ConsentEvidence | None = None
    """The record of consent that is kept under this name already."""
    is_told: bool = False
    """Whether it was told of for another record."""

    def contact_of(self, uow: UnitOfWork, named: Recipient, brands: Iterable[str]) -> ContactId:
        """Give the contact a client names, who is known to these brands from now on.

        Raises `Reject` where nobody is known by that name, or named by an id of people none of the brands
        has dealt with.
        """
        if self.contact_id is None:
            raise Reject("unknown_contact")
        state = uow.states[self.contact_id]
        if named.contact_id is not None and not known_to(state, brands):
            raise Reject("unknown_contact")
        uow.put(self.contact_id, with_brands(state, brands))
        return self.contact_id


def refuse(reason: str | None) -> None:
    """Raise `Reject` where there is a reason to."""
    if reason is not None:
        raise Reject(reason)


class EventHandler(Protocol):
    """Four answers about one event. Applied again, the same event changes nothing more.

    Answers are asked for again and again: what takes hashing or parsing is kept, by `cached_property`.
    """

    def check(self) -> None:
        """Refuse what is wrong whoever it is about. Raises `Reject`."""
        ...

    @property
    def targets(self) -> EventTargets:
        """Say whom and which message it is about."""
        ...

    @property
    def may_revoke(self) -> bool:
        """Say whether it may take promos of its contact back, or decide them again: they are locked, then."""
        ...

    def apply(self, uow: UnitOfWork, found: FoundTargets, /) -> None:
        """Do what follows from it, in any order with others. Raises `Reject`."""
        ...


class ReadEvent(NamedTuple):
    """An event as it arrived, and who handles it."""

    received: ReceivedEvent
    handler: EventHandler
