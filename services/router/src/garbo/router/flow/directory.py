"""Who may ask, and by which numbers: the business file, ready for questions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from garbo.common.business import ROUTER_CLIENT, Business, Client, Replies
from garbo.common.events.requests import SendRequested
from garbo.common.events.template import Template
from garbo.router.domain.instants import to_datetime
from garbo.router.domain.keywords import NO_PAYLOADS, Payloads
from garbo.router.domain.request import Numbers
from garbo.router.domain.templates import Templates
from garbo.router.flow.visibility import Viewer
from garbo.router.ports.contacts import Contact


@dataclass(frozen=True, slots=True)
class BrandNumbers:
    """A brand's numbers and the account of its defaults."""

    all: tuple[str, ...]
    care_default: str
    promo_default: str
    waba: str


class Origin(NamedTuple):
    """What the business file says of a request."""

    waba: str
    """The account whose template registry counts."""
    numbers: Numbers
    """Those it may use."""
    roles: frozenset[str]
    """What its client may be; nothing for one that is not known."""


class Directory:
    """Answers from the business file in force.

    What another file no longer lists stays known for what is under way, and nothing new is taken of it.
    """

    def __init__(self, business: Business) -> None:
        self._replies: dict[str, Replies] = {}
        self._buttons: dict[str, Payloads] = {}
        self._languages: dict[str, str] = {}
        self._waba_of: dict[str, str] = {}
        self._known: dict[str, BrandNumbers] = {}
        self.take(business)

    def take(self, business: Business) -> None:
        """Answer by another business file from now on: at once, between two steps of whoever asks."""
        router = Client(id=ROUTER_CLIENT, brands=tuple(b.id for b in business.brands), purposes=("care",))
        self._clients = {c.id: c for c in (*business.clients, router)}
        self._body_values = business.body_values
        self._counted = {name for name, _ in self._body_values}
        self._replies |= {b.id: b.replies for b in business.brands}
        self._buttons |= {
            b.id: Payloads(stop=b.buttons.stop, start=b.buttons.start, confirm=b.buttons.confirm)
            for b in business.brands
        }
        self._languages |= {b.id: b.language for b in business.brands}
        self._roles = {c.id: frozenset(c.roles) for c in business.clients}
        self._brand_of = {n.id: n.brand for n in business.numbers}
        self._waba_of |= {n.id: n.waba for n in business.numbers}
        self._brands = {
            b.id: BrandNumbers(
                all=tuple(n.id for n in business.numbers if n.brand == b.id),
                care_default=b.care_number,
                promo_default=b.promo_number,
                waba=self._waba_of[b.promo_number],
            )
            for b in business.brands
        }
        self._known |= self._brands

    def refusal(self, event: SendRequested) -> str | None:
        """Say why a request is not this client's to make; None when it is."""
        client = self._clients.get(event.client)
        if client is None:
            return "unknown_client"
        if event.brand not in self._brands:
            return "unknown_brand"
        if event.brand not in client.brands:
            return "brand_not_allowed"
        if event.purpose not in client.purposes:
            return "purpose_not_allowed"
        if event.number and self._brand_of.get(event.number) != event.brand:
            return "unknown_number"
        return "channel_unavailable" if event.channel == "sms" else None

    def content_refusal(
        self, event: SendRequested, contact: Contact | None, templates: Templates, now_us: int
    ) -> str | None:
        """Say why no number it may use can send its content to whom it is for; None when one may be able to.

        The platform's word counts, the business file's only where the platform was not read.
        """
        named = event.templates.values()
        if contact and contact.address.kind != "phone":
            if contact.kind == "group" and event.unfit_for_groups:
                return _NO_PASSWORD["group"]
            waba = self.origin(event).waba
            if any(_is_password(one, waba, templates, now_us) for one in named):
                return _NO_PASSWORD[contact.kind]
        if not named:
            return None
        accounts, now = self._accounts(event), to_datetime(now_us)
        if not templates.observed.believes(accounts, now):
            counted = [one for one in named if one.name in self._counted]
            miscounted = any(one.missed_count(self._body_values) is not None for one in counted)
            return "parameter_count" if miscounted else None
        faults = (fault for one in named for fault in templates.observed.faults(one, accounts, now))
        return next((fault.reason for fault in faults), None)

    def client_refusal(self, client: str) -> str | None:
        """Say why nothing is taken of a client; None when it may tell of people."""
        return None if client in self._clients else "unknown_client"

    def viewer(self, client: str) -> Viewer:
        """Say at whom and at what a client may look."""
        brands = self.brands_of(client)
        numbers = frozenset(number for brand in brands for number in self._brands[brand].all)
        return Viewer(brands, numbers, has_every_brand=set(self._brands) <= set(brands))

    def brands_of(self, client: str) -> tuple[str, ...]:
        """Give the brands a client speaks for."""
        known = self._clients.get(client)
        return known.brands if known else ()

    def brand_refusal(self, *, client: str, brand: str) -> str | None:
        """Say why nothing of a brand is this client's to change; None when it is."""
        known = self._clients.get(client)
        if known is None:
            return "unknown_client"
        if brand not in self._brands:
            return "unknown_brand"
        return None if brand in known.brands else "brand_not_allowed"

    def link_refusal(self, client: str) -> str | None:
        """Say why a client may not say that two addresses are one person's; None when it may."""
        known = self._clients.get(client)
        return None if known and "link" in known.scopes else "link_not_allowed"

    def purpose_refusal(self, *, client: str, purpose: str) -> str | None:
        """Say why a purpose is not this client's; None when it is."""
        known = self._clients.get(client)
        return None if known and purpose in known.purposes else "purpose_not_allowed"

    def replies(self, brand: str) -> Replies:
        """Give what the router itself answers for a brand."""
        return self._replies[brand]

    def payloads(self, number: str) -> Payloads:
        """Give which buttons of the brand that has this number stop and start promo; none of nobody's."""
        return self._buttons.get(self._brand_of.get(number, ""), NO_PAYLOADS)

    def language(self, brand: str) -> str:
        """Give the language of a brand."""
        return self._languages[brand]

    @property
    def brands(self) -> tuple[str, ...]:
        """Give all brands."""
        return tuple(self._brands)

    def numbers(self, brand: str, asked: str | None) -> Numbers:
        """Give the numbers a request of this brand may use."""
        own = self._known[brand]
        return Numbers(
            asked=asked, all=own.all, care_default=own.care_default, promo_default=own.promo_default
        )

    def origin(self, event: SendRequested) -> Origin:
        """Say what a request that is not refused may go as."""
        return Origin(
            waba=self._waba_of.get(event.number or "", self._known[event.brand].waba),
            numbers=self.numbers(event.brand, event.number),
            roles=self._roles.get(event.client, frozenset()),
        )

    def brand_of(self, number: str) -> str | None:
        """Tell whose number it is."""
        return self._brand_of.get(number)

    def _accounts(self, event: SendRequested) -> Sequence[str]:
        """Name the accounts of the numbers a request may go from."""
        numbers = (event.number,) if event.number else self._known[event.brand].all
        return tuple({self._waba_of[number]: None for number in numbers})


_NO_PASSWORD: Final = {"person": "needs_phone", "group": "not_for_groups"}
"""Why an authentication template goes to nobody but a phone number.

Source: Meta, "Business-scoped user IDs", error code 131062, "Groups API" (read 2026-11)."""


def _is_password(template: Template, waba: str, templates: Templates, now_us: int) -> bool:
    category = templates.category_at(
        waba=waba, name=template.name, language=template.language.code, now_us=now_us
    )
    return category == "authentication"
