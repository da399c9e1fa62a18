"""Who a message is for, or from."""

from functools import lru_cache
from typing import Annotated, Final, Self
from uuid import UUID

import phonenumbers
from pydantic import Field, model_validator

from garbo.common.events.base import Part
from garbo.common.events.ids import AddressKind

HEAD_CHARS: Final = 9
"""`+` and eight digits: country, area and more; of what follows only the length matters."""


def is_possible(phone: str) -> bool:
    """Say whether a numbering plan could hold a phone number, as far as our release of them knows.

    They are older or younger than the platform's own: what it showed is an address whatever they say.
    """
    return _is_possible(phone[:HEAD_CHARS], len(phone) - HEAD_CHARS)


@lru_cache(maxsize=1 << 17)
def _is_possible(head: str, rest_digits: int) -> bool:
    """Look into the numbering plans, for all numbers that begin so: it takes 15 us."""
    try:
        number = phonenumbers.parse(head + "1" * max(0, rest_digits), None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(number)


PHONE_PATTERN: Final = r"^\+[1-9][0-9]{6,14}$"
USER_ID_PATTERN: Final = r"^[A-Z]{2}\.[A-Za-z0-9.]{1,140}$"
Phone = Annotated[str, Field(pattern=PHONE_PATTERN)]
"""A phone number in E.164, with its `+`; whether it is on WhatsApp, and even possible, the platform knows."""
UserId = Annotated[str, Field(pattern=USER_ID_PATTERN)]
"""A business-scoped user id (BSUID), such as `IT.13491208655302741918`."""


class Recipient(Part):
    """Exactly one way to name the person or group a message is for."""

    phone: Phone | None = None
    user_id: UserId | None = None
    contact_id: UUID | None = None
    group_id: Annotated[str, Field(min_length=1, max_length=200)] | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [f for f in ("phone", "user_id", "contact_id", "group_id") if getattr(self, f) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of phone, user_id, contact_id, group_id")
        return self

    @property
    def address(self) -> tuple[AddressKind, str] | None:
        """The platform's address, or None when only our contact id is known."""
        if self.phone:
            return "phone", self.phone
        if self.user_id:
            return "user_id", self.user_id
        return ("group_id", self.group_id) if self.group_id else None


class Person(Part):
    """A customer as the platform shows them: phone and user id may each be missing."""

    phone: str | None = None
    """Digits with a leading `+`."""
    user_id: str | None = None
    parent_user_id: str | None = None

    @property
    def address(self) -> tuple[AddressKind, str] | None:
        """The address to key by: the phone where the platform shows it, else the user id."""
        if self.phone:
            return "phone", self.phone
        return ("user_id", self.user_id) if self.user_id else None
