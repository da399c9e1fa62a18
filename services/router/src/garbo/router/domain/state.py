"""What is remembered of one recipient: all that a decision needs, in one row."""

from bisect import insort
from collections.abc import Iterable, Mapping
from typing import Final

from garbo.common.events.ids import ContactId, MessageId
from garbo.router.domain.instants import DAY_US
from garbo.router.domain.values import Stored, field, replace

WINDOW_US: Final = DAY_US
"""The customer service window: 24 h from the person's last message (Meta, Cloud API, read 2026-11)."""
REMEMBERED_INBOUND: Final = 8
REMEMBERED_SENDS: Final = 256
"""No cap may be larger: the row holds what a cap counts."""


class Send(Stored, frozen=True, rename={"message_id": "id", "at_us": "at", "message_class": "class"}):
    """One send that counts, with what it was when it was granted."""

    message_id: MessageId
    at_us: int
    """Accepted at; while open, the latest instant at which it still can be accepted."""
    message_class: str
    brand: str
    campaign: str | None = None
    category: str | None = None
    tags: tuple[str, ...] = ()
    open: bool = False
    """Granted or unknown, not yet settled: `at_us` is an upper bound."""
    delivered: bool = False
    """It reached the phone; matters only where a policy counts deliveries."""


class Stop(Stored, frozen=True):
    """What the person last said to a brand: STOP or START. A tie is a STOP."""

    stopped_at_us: int | None = None
    started_at_us: int | None = None
    by: str = ""
    """The STOP that holds, by the reference of its wamid; not those that only repeat it."""

    @property
    def active(self) -> bool:
        """Whether the person has stopped."""
        return self.stopped_at_us is not None and self.stopped_at_us >= (self.started_at_us or 0)


class Consent(Stored, frozen=True):
    """The newest instant of each action, for one brand, channel and purpose. Arrival order is no matter."""

    given_at_us: int | None = None
    confirmed_at_us: int | None = None
    """A client recorded the confirmation."""
    withdrawn_at_us: int | None = None
    requested_at_us: int | None = None
    """The person was asked to confirm."""
    answered_at_us: int | None = None
    """The person confirmed in their own words; taken back when an earlier no is heard of later."""
    imported_at_us: int | None = None
    """Told by a list: as good as given, but for a suppression, which it does not outweigh."""

    @property
    def sure_at_us(self) -> int:
        """Tell when it was confirmed last, by whoever; 0 when never."""
        return max(self.confirmed_at_us or 0, self.answered_at_us or 0)

    @property
    def granted_at_us(self) -> int:
        """Tell when the person last said yes in whichever way; 0 when never."""
        return max(self.given_at_us or 0, self.imported_at_us or 0, self.sure_at_us)


class Case(Stored, frozen=True):
    """A conversation somebody works on; promo waits for its end."""

    opened_at_us: int
    closed_at_us: int | None = None
    brand: str = "*"
    """Whose promos it holds back; `*` for all."""


class Preference(Stored, frozen=True):
    """The platform's own switch for marketing of one number (Meta, `user_preferences`). A tie is a stop."""

    brand: str
    stopped_at_us: int | None = None
    resumed_at_us: int | None = None
    whole_brand: bool = True
    """Whether, by the policy it was told under, a stop reaches every number of the brand."""

    @property
    def stopped(self) -> bool:
        """Whether the switch is off."""
        return self.stopped_at_us is not None and self.stopped_at_us >= (self.resumed_at_us or 0)


class Cooldown(Stored, frozen=True):
    """The platform held a promo of this brand back (131049): none for a while, longer each time in a row."""

    until_us: int
    strikes: int
    by: MessageId


class Question(Stored, frozen=True):
    """A word that may have meant STOP; the person was asked, and promo of the brand waits for the answer."""

    asked_at_us: int
    until_us: int
    """Promo waits until here; the instant of the answer once there is one."""
    by: str
    """The word, by the reference of its wamid."""


class Claims(Stored, frozen=True):
    """What clients of a brand told of the person: true for that brand, and for no other."""

    zone: str | None = None
    """IANA name."""
    zone_at_us: int = 0
    language: str | None = None
    language_at_us: int = 0


class RecipientState(Stored, frozen=True):
    """One recipient. Mappings are replaced, never changed in place."""

    version: int = 0
    erased: bool = False
    merged_into: ContactId | None = None
    """This row is empty: the person turned out to be that contact."""
    claims: Mapping[str, Claims] = field(default_factory=dict)
    """Brand -> what it was told. Brands that stand here have dealt with the person; no other sees them."""
    cases: Mapping[str, Case] = field(default_factory=dict)
    """`client:case_id` -> case; those that were closed long ago are forgotten."""
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    """Business number -> the platform's switch."""
    suppressed: Mapping[str, int] = field(default_factory=dict)
    """Brand or `*` -> the instant since which a list forbids promo; a later opt-in outweighs it."""
    cooldowns: Mapping[str, Cooldown] = field(default_factory=dict)
    """Brand -> the platform's own brake."""
    questions: Mapping[str, Question] = field(default_factory=dict)
    """Brand -> the question that is open."""
    campaign_sends: tuple[Send, ...] = ()
    """Sends of the campaigns now asked about, however old: looked up beside the row, not stored in it."""
    inbound_at_us: Mapping[str, int] = field(default_factory=dict)
    """Business number -> the person's last message to it."""
    inbound: tuple[tuple[str, int], ...] = ()
    """The person's last messages (reference of the wamid, instant), newest last."""
    stops: Mapping[str, Stop] = field(default_factory=dict)
    """Brand -> STOP and START."""
    consents: Mapping[str, Consent] = field(default_factory=dict)
    """`brand/channel/purpose` -> consent; `*` stands for all."""
    sends: tuple[Send, ...] = ()
    """What counts, oldest first."""

    def window_until_us(self, number: str) -> int | None:
        """Tell when the customer service window to a number ends; None when it never opened."""
        opened_at_us = self.inbound_at_us.get(number)
        return None if opened_at_us is None else opened_at_us + WINDOW_US

    def zone_for(self, brand: str) -> str | None:
        """Tell the person's zone, as a brand knows it."""
        known = self.claims.get(brand)
        return known.zone if known else None

    def language_for(self, brand: str) -> str | None:
        """Tell the person's language, as a brand knows it."""
        known = self.claims.get(brand)
        return known.language if known else None

    def stopped(self, brand: str) -> bool:
        """Say whether the person has stopped promos of this brand."""
        stop = self.stops.get(brand)
        return stop is not None and stop.active

    def send_of(self, message_id: MessageId) -> Send | None:
        """Find the counted send of a message."""
        return next((s for s in self.sends if s.message_id == message_id), None)


def known_to(state: RecipientState, brands: Iterable[str]) -> bool:
    """Say whether one of the brands has dealt with the person."""
    return any(brand in state.claims for brand in brands)


def with_brands(state: RecipientState, brands: Iterable[str]) -> RecipientState:
    """Note that brands have dealt with the person."""
    new = [brand for brand in brands if brand not in state.claims]
    return replace(state, claims={**state.claims, **{brand: Claims() for brand in new}}) if new else state


def with_claims(
    state: RecipientState, brands: Iterable[str], *, zone: str | None, language: str | None, at_us: int
) -> RecipientState:
    """Take in what a client told for its brands; the newest word of each stands."""
    told = Claims(zone, at_us if zone else 0, language, at_us if language else 0)
    joined = {brand: join_claims(state.claims.get(brand, Claims()), told) for brand in brands}
    return replace(state, claims={**state.claims, **joined})


def join_claims(first: Claims, second: Claims) -> Claims:
    """Give the newest word of each. Of two of one instant always the same stands, whichever comes last."""
    zone = max((c.zone_at_us, c.zone or "") for c in (first, second))
    language = max((c.language_at_us, c.language or "") for c in (first, second))
    return Claims(zone[1] or None, zone[0], language[1] or None, language[0])


def with_send(state: RecipientState, send: Send) -> RecipientState:
    """Count a send; one message counts once, as last said. Sends stay in the order of their instants."""
    sends = [known for known in state.sends if known.message_id.int != send.message_id.int]
    insort(sends, send, key=_by_instant)
    return replace(state, sends=tuple(sends))


def without_send(state: RecipientState, message_id: MessageId) -> RecipientState:
    """Stop counting a message's send."""
    return replace(state, sends=tuple(s for s in state.sends if s.message_id != message_id))


def with_inbound(state: RecipientState, *, ref: str, number: str, at_us: int) -> RecipientState:
    """Open or extend the window to a number. An older message never shrinks it; a repeat changes nothing."""
    latest = max(at_us, state.inbound_at_us.get(number, at_us))
    known = dict(state.inbound)
    known[ref] = max(at_us, known.get(ref, at_us))
    newest = sorted(known.items(), key=lambda item: (item[1], item[0]))[-REMEMBERED_INBOUND:]
    return replace(state, inbound_at_us={**state.inbound_at_us, number: latest}, inbound=tuple(newest))


def _by_instant(send: Send) -> int:
    return send.at_us
