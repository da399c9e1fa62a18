"""Contact cards, as the platform takes them.

Source: Meta, OpenAPI description of the Business Messaging API v23, ContactObject; Cloud API reference
"Contacts messages" for what a name needs (read 2026-11).
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from garbo.common.events.base import NULL_IS_ABSENT, Part
from garbo.common.events.shown_text import SHOWN, Url

_Words = Annotated[str, Field(min_length=1, max_length=1024), SHOWN]
_Where = Literal["HOME", "WORK"]


class CardName(Part):
    """A name: as it is shown whole, and at least one of its pieces."""

    formatted_name: _Words
    first_name: _Words | None = None
    last_name: _Words | None = None
    middle_name: _Words | None = None
    prefix: _Words | None = None
    suffix: _Words | None = None

    @model_validator(mode="after")
    def _in_pieces(self) -> Self:
        if not any((self.first_name, self.last_name, self.middle_name, self.prefix, self.suffix)):
            raise ValueError("give one of first_name, last_name, middle_name, prefix, suffix as well")
        return self


class CardPhone(Part):
    """A phone number; with `wa_id` the card offers to write to it."""

    phone: _Words
    type: _Where | None = None
    wa_id: Annotated[str, Field(pattern=r"^[0-9]{5,20}$")] | None = None


class CardEmail(Part):
    """An e-mail address."""

    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=320)]
    type: _Where | None = None


class CardAddress(Part):
    """A postal address."""

    street: _Words | None = None
    city: _Words | None = None
    state: _Words | None = None
    zip: _Words | None = None
    country: _Words | None = None
    country_code: Annotated[str, Field(pattern=r"^[A-Za-z]{2}$")] | None = None
    type: _Where | None = None


class CardOrganisation(Part):
    """Where somebody works."""

    company: _Words | None = None
    department: _Words | None = None
    title: _Words | None = None


class CardUrl(Part):
    """A web page."""

    url: Url
    type: _Where | None = None


class ContactCard(Part):
    """One person or business."""

    name: CardName
    phones: Annotated[tuple[CardPhone, ...], NULL_IS_ABSENT] = ()
    emails: Annotated[tuple[CardEmail, ...], NULL_IS_ABSENT] = ()
    addresses: Annotated[tuple[CardAddress, ...], NULL_IS_ABSENT] = ()
    urls: Annotated[tuple[CardUrl, ...], NULL_IS_ABSENT] = ()
    org: CardOrganisation | None = None
    birthday: date | None = None
