"""Who may ask, and by which numbers: the business file, ready for questions."""

from dataclasses import dataclass
from typing import NamedTuple

from garbo.common.business import ROUTER_CLIENT, Business, Client, Replies
from garbo.common.events.content import TemplateContent
from garbo.common.events.requests import SendRequested
from garbo.router.domain.keywords import NO_PAYLOADS, Payloads
from garbo.router.domain.request import Numbers
from garbo.router.flow.visibility import Viewer


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
    """Answers from the business file."""

    def __init__(self, business: Business) -> None:
        router = Client(id=ROUTER_CLIENT, brands=tuple(b.id for b in business.brands), purposes=("care",))
        self._clients = {c.id: c for c in (*business.clients, router)}
        self._body_values = business.body_values
        self._counted = {name for name, _ in self._body_values}
        self._replies = {b.id: b.replies for b in business.brands}
        self._buttons = {
            b.id: Payloads(stop=b.buttons.stop, start=b.buttons.start, confirm=b.buttons.confirm)
            for b in business.brands
        }
        self._languages = {b.id: b.language for b in business.brands}
        self._roles = {c.id: frozenset(c.roles) for c in business.clients}
        self._brand_of = {n.id: n.brand for n in business.numbers}
        self._waba_of = {n.id: n.waba for n in business.numbers}
        self._brands = {
            b.id: BrandNumbers(
                all=tuple(n.id for n in business.numbers if n.brand == b.id),
                care_default=b.care_number,
                promo_default=b.promo_number,
                waba=self._waba_of[b.promo_number],
            )
            for b in business.brands
        }

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
        if event.channel == "sms":
            return "channel_unavailable"
        content = event.content.template if isinstance(event.content, TemplateContent) else None
        second = event.fallback.template if event.fallback else None
        counted = [one for one in (content, second) if one and one.name in self._counted]
        miscounted = any(one.missed_count(self._body_values) is not None for one in counted)
        return "parameter_count" if miscounted else None

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
        own = self._brands[brand]
        return Numbers(
            asked=asked, all=own.all, care_default=own.care_default, promo_default=own.promo_default
        )

    def origin(self, event: SendRequested) -> Origin:
        """Say what a request that is not refused may go as."""
        return Origin(
            waba=self._waba_of.get(event.number or "", self._brands[event.brand].waba),
            numbers=self.numbers(event.brand, event.number),
            roles=self._roles.get(event.client, frozenset()),
        )

    def brand_of(self, number: str) -> str | None:
        """Tell whose number it is."""
        return self._brand_of.get(number)
