"""The business file (`GARBO_CONFIG`): brands, sending numbers, templates, API clients.

Read by several services, so it is described once, here.
"""

from hashlib import sha256
from hmac import compare_digest
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from garbo.common.errors import StartRefused
from garbo.common.events.requests import Name, Purpose

Category = Literal["MARKETING", "UTILITY", "AUTHENTICATION"]
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
"""Two or three letters, such as it."""
ROUTER_CLIENT: Final = "garbo"
"""The client as which the router itself asks for its replies; no client of the file may be called so."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Texts = dict[Language, Annotated[str, Field(min_length=1, max_length=1000)]]
"""Language -> text."""
Titles = dict[Language, Annotated[str, Field(min_length=1, max_length=20)]]
"""Language -> a button's title; the platform takes 20 characters."""


class Replies(_Part):
    """What the router itself answers to STOP, and to a word that may mean it. Unsaid: its own words."""

    enabled: bool = True
    """Without replies a word that may mean STOP holds promo all the same, and nobody is asked."""
    stopped: Texts = {}
    """Once, after a STOP."""
    question: Texts = {}
    """After a word that may have meant STOP."""
    stop: Titles = {}
    """The button that says yes to the question."""
    keep: Titles = {}
    """The button that says no."""


Payload = Annotated[str, Field(min_length=1, max_length=256)]
"""The id a brand gives to a button or list row; the platform takes 256 characters."""


class Buttons(_Part):
    """Which of a brand's own buttons and list rows speak of promo; all others are conversation."""

    stop: tuple[Payload, ...] = ()
    """Their press is a STOP."""
    start: tuple[Payload, ...] = ()
    """Their press lifts a STOP."""
    confirm: tuple[Payload, ...] = ()
    """Their press confirms an opt-in that was asked for."""

    @model_validator(mode="after")
    def _mean_one_thing(self) -> Self:
        listed = [*self.stop, *self.start, *self.confirm]
        twice = next((payload for payload in listed if listed.count(payload) > 1), None)
        if twice is not None:
            raise ValueError(f"payload {twice} is listed twice")
        return self


class Brand(_Part):
    """A name customers know, and the numbers it sends from."""

    id: Name
    care_number: str
    """Default sending number of the care lane (platform id)."""
    promo_number: str
    """Default sending number of the promo lane (platform id)."""
    language: Language = "en"
    """What the router answers in where it knows no language of the person."""
    replies: Replies = Replies()
    buttons: Buttons = Buttons()


class Number(_Part):
    """A WhatsApp business number."""

    id: Annotated[str, Field(pattern=r"^[0-9]{1,32}$")]
    """The platform's phone number id."""
    display: str
    waba: str
    brand: Name
    token: SecretStr | None = None
    """The access token; or `token_file`."""
    token_file: Path | None = None
    rate_per_s: Annotated[float, Field(gt=0, le=1000)] = 80
    """Messages a second the platform allows, in and out together."""

    def access_token(self) -> str:
        """Read the token; raises `StartRefused` when there is none."""
        if self.token:
            return self.token.get_secret_value()
        if self.token_file is None:
            raise StartRefused(f"business file: number {self.id} has neither token nor token_file.")
        try:
            return self.token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StartRefused(
                f"business file: token_file of number {self.id} cannot be read: {error.strerror}."
            ) from None


class KnownTemplate(_Part):
    """A template as approved; the platform's own changes override its category."""

    name: str
    language: str
    category: Category
    parameters: Annotated[int, Field(ge=0, le=50)] | None = None
    """How many its body takes: requests with another number are refused. Unsaid: only the platform knows."""


class Client(_Part):
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


class Business(_Part):
    """The whole file."""

    brands: tuple[Brand, ...]
    numbers: tuple[Number, ...]
    templates: tuple[KnownTemplate, ...] = ()
    clients: tuple[Client, ...]

    @property
    def body_values(self) -> dict[tuple[str, str], int]:
        """How many parameters the body of a template takes, by name and language (`en_US`), where told."""
        return {
            (one.name, one.language.replace("-", "_")): one.parameters
            for one in self.templates
            if one.parameters is not None
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
        for owner, named in [(f"number {n.id}", {n.brand}) for n in self.numbers] + [
            (f"client {c.id}", set(c.brands)) for c in self.clients
        ]:
            if named - brands:
                raise ValueError(f"{owner} names a brand that is not listed: {min(named - brands)}")
        return self

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
