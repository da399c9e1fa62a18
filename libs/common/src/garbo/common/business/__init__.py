"""The business file (`GARBO_CONFIG`): brands, sending numbers, portfolios, templates, API clients.

Read by several services, so it is described once, here.
"""

from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from garbo.common.business.brand import Brand, KeptFiles, Replies
from garbo.common.business.numbers import Number, Portfolio
from garbo.common.business.section import Section
from garbo.common.errors import StartRefused
from garbo.common.events.requests import Name, Purpose

__all__ = [
    "Brand",
    "Business",
    "BusinessInForce",
    "Client",
    "KeptFiles",
    "Keys",
    "KnownTemplate",
    "Number",
    "Portfolio",
    "Replies",
    "load_business",
]
Category = Literal["MARKETING", "UTILITY", "AUTHENTICATION"]
ROUTER_CLIENT: Final = "garbo"
"""The client as which the router itself asks for its replies; no client of the file may be called so."""


class KnownTemplate(Section):
    """A template as approved. Deprecated: the platform is read, and what it shows overrides this."""

    name: str
    language: str
    category: Category
    parameters: Annotated[int, Field(ge=0, le=50)] | None = None
    """How many its body takes: requests with another number are refused. Unsaid: only the platform knows."""


class Client(Section):
    """A service or person that may publish."""

    id: Name
    keys_sha256: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...], Field(max_length=4)
    ] = ()
    """SHA-256 of each live API key; make one with: openssl rand -hex 24."""
    brands: tuple[Name, ...]
    purposes: tuple[Purpose, ...]
    scopes: tuple[Literal["publish", "read", "simulate", "admin", "link"], ...] = ("publish",)
    """publish: ask for messages, record consents, cases, contact data. read: decisions, previews, contacts.
    simulate: what another policy would have decided. admin: erase, suppress, split. link: join two
    addresses of one person."""
    roles: tuple[Name, ...] = ()
    """What rules of the policy may name in `overridable_by`."""


_WebHost = Annotated[
    str,
    Field(max_length=253, pattern=r"^([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,62}$"),
]
"""The full name of a host, in small letters: no address, no port, no scheme, no `*`."""


class MediaRules(Section):
    """What Garbo itself does with files; unsaid: nothing."""

    fetch_from: Annotated[tuple[_WebHost, ...], Field(max_length=100)] = ()
    """Hosts, each exactly, from which it fetches what a link of a message names, to send it as a file of
    its own. All other links are fetched by the platform."""


class Business(Section):
    """The whole file."""

    brands: tuple[Brand, ...]
    numbers: tuple[Number, ...]
    portfolios: tuple[Portfolio, ...] = ()
    templates: tuple[KnownTemplate, ...] = ()
    clients: tuple[Client, ...]
    media: MediaRules = MediaRules()

    @property
    def body_values(self) -> dict[tuple[str, str], int]:
        """How many parameters the body of a template takes, by name and language (`en_US`), where told."""
        return {
            (one.name, one.language.replace("-", "_")): one.parameters
            for one in self.templates
            if one.parameters is not None
        }

    @property
    def brand_accounts(self) -> dict[str, tuple[str, ...]]:
        """Name the platform's accounts of each brand's numbers."""
        return {
            brand.id: tuple({n.waba: None for n in self.numbers if n.brand == brand.id})
            for brand in self.brands
        }

    @property
    def account_numbers(self) -> dict[str, tuple[str, ...]]:
        """Name the numbers of each of the platform's accounts."""
        return {
            waba: tuple(n.id for n in self.numbers if n.waba == waba)
            for waba in dict.fromkeys(n.waba for n in self.numbers)
        }

    @model_validator(mode="after")
    def _refer(self) -> Self:
        brands, numbers = {b.id for b in self.brands}, {n.id for n in self.numbers}
        if any(client.id == ROUTER_CLIENT for client in self.clients):
            raise ValueError(f"client {ROUTER_CLIENT} is the router itself: choose another name")
        for brand in self.brands:
            missing = {brand.care_number, brand.promo_number} - numbers
            if missing:
                raise ValueError(f"brand {brand.id} names a number that is not listed: {min(missing)}")
        self._refer_portfolios()
        for owner, named in [(f"number {n.id}", {n.brand}) for n in self.numbers] + [
            (f"client {c.id}", set(c.brands)) for c in self.clients
        ]:
            if named - brands:
                raise ValueError(f"{owner} names a brand that is not listed: {min(named - brands)}")
        return self

    def _refer_portfolios(self) -> None:
        listed, of_account = {one.id for one in self.portfolios}, dict[str, str | None]()
        for number in self.numbers:
            if number.portfolio is not None and number.portfolio not in listed:
                raise ValueError(
                    f"number {number.id} names a portfolio that is not listed: {number.portfolio}"
                )
            if of_account.setdefault(number.waba, number.portfolio) != number.portfolio:
                raise ValueError(f"the numbers of account {number.waba} must name the same portfolio")

    def client(self, client_id: str) -> Client | None:
        """Find a client by its id."""
        return next((c for c in self.clients if c.id == client_id), None)

    def client_of_key(self, key: str) -> Client | None:
        """Find the client an API key belongs to; the comparison takes the same time for all keys."""
        digest = sha256(key.encode()).hexdigest()
        found: Client | None = None
        for client in self.clients:
            for known in client.keys_sha256:
                if compare_digest(known, digest):
                    found = client
        return found

    def brand(self, brand_id: str) -> Brand | None:
        """Find a brand by its id."""
        return next((b for b in self.brands if b.id == brand_id), None)

    def number(self, number_id: str) -> Number | None:
        """Find a number by its platform id."""
        return next((n for n in self.numbers if n.id == number_id), None)


class BusinessInForce:
    """The business file as it is now; it may change while the process runs."""

    def __init__(self, business: Business) -> None:
        self.current = business

    async def take(self, business: Business) -> None:
        """Let another file be in force from now on."""
        self.current = business

    @property
    def brands(self) -> tuple[Brand, ...]:
        """All brands."""
        return self.current.brands

    def client_of_key(self, key: str) -> Client | None:
        """Find the client an API key belongs to; see `Business.client_of_key`."""
        return self.current.client_of_key(key)


class Keys(Protocol):
    """Knows whose an API key is: a business file, or the one in force."""

    @property
    def brands(self) -> tuple[Brand, ...]:
        """All brands."""
        ...

    def client_of_key(self, key: str) -> Client | None:
        """Find the client an API key belongs to."""
        ...


def load_business(path: Path) -> Business:
    """Read the business file; raises `StartRefused` with the field at fault and what it should be."""
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StartRefused(f"GARBO_CONFIG cannot be read: {error.strerror} ({path}).") from None
    except yaml.YAMLError as error:
        line = (
            f", line {error.problem_mark.line + 1}"
            if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark
            else ""
        )
        raise StartRefused(f"GARBO_CONFIG is not YAML ({path}{line}).") from None
    try:
        return Business.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise StartRefused(f"GARBO_CONFIG ({path}): {field}: {first['msg']}.") from None
