"""What a webhook is split into: parts that were understood, and broken ones."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, TypeAlias

from garbo.common.errors import Reject
from garbo.common.events.base import Event, Json
from garbo.common.events.ids import address_hash
from garbo.common.events.topics import Topic

ACCOUNT: Final = "whatsapp_business_account"
"""What `object` says in each webhook of this platform."""


@dataclass(frozen=True, slots=True)
class Found:
    """One part, understood: the event it became, its topic and its record key."""

    topic: Topic[Any]
    event: Event
    key: str


@dataclass(frozen=True, slots=True)
class Broken:
    """One part that cannot become an event: a webhook body that holds it alone, and why."""

    webhook: Json | None
    """None: the body as it came."""
    reason: str


Part: TypeAlias = Found | Broken


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a part stood: the account, the number, who the contacts are, and when it was received."""

    waba: str | None
    number: str | None
    received_at: datetime
    hash_key: bytes
    contacts: dict[str, Json] = field(default_factory=dict)
    """Contact cards by `wa_id` and by `user_id`."""
    only_contact: Json = field(default_factory=dict)
    """The card, when the webhook carries exactly one."""

    def account_id(self) -> str:
        """Give the account's id; raises `Reject` when the entry has none."""
        if self.waba is None:
            raise Reject("invalid:entry.id")
        return self.waba

    def number_id(self) -> str:
        """Give the business number's id; raises `Reject` when the change has none."""
        if self.number is None:
            raise Reject("invalid:metadata.phone_number_id")
        return self.number

    def contact_of(self, *addresses: object) -> Json:
        """Find the card of a person by any of their addresses; an empty one when there is none."""
        for address in addresses:
            if isinstance(address, str) and address in self.contacts:
                return self.contacts[address]
        return {}

    def key_of(self, address: tuple[str, str] | None, *, otherwise: str) -> str:
        """Hash an address into a record key; without one, hash a stand-in (its id), never show it."""
        match address:
            case ("phone", value):
                return address_hash(self.hash_key, "phone", value)
            case ("group_id", value):
                return address_hash(self.hash_key, "group_id", value)
            case (_, value):
                return address_hash(self.hash_key, "user_id", value)
            case None:
                return address_hash(self.hash_key, "user_id", otherwise)
