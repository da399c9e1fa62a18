"""Up to three reply buttons.

Source: Meta, OpenAPI description of the Business Messaging API v23, ActionObject (read 2026-11).
"""

from collections.abc import Sequence
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, model_validator

from garbo.common.events.base import Part
from garbo.common.events.interactive.parts import ReplyId, Title, WithBody
from garbo.common.events.vendor_object import first_twice, refuse


class Reply(Part):
    """What a reply button says, and sends back."""

    id: ReplyId
    title: Title


class ReplyButton(Part):
    """One of up to three buttons."""

    type: Literal["reply"]
    reply: Reply


class ButtonsAction(Part):
    """The buttons."""

    buttons: Annotated[tuple[ReplyButton, ...], Field(min_length=1, max_length=3)]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        refuse_twins([button.reply for button in self.buttons], "reply")
        return self


class ButtonMessage(WithBody):
    """A message with reply buttons."""

    type: Literal["button"]
    action: ButtonsAction


class _Pressed(Protocol):
    @property
    def id(self) -> str: ...
    @property
    def title(self) -> str: ...


def refuse_twins(replies: Sequence[_Pressed], block: str) -> None:
    """Refuse buttons of one message that say or send back the same; `block` holds each button's reply."""
    for field in ("id", "title"):
        if (place := first_twice([getattr(reply, field) for reply in replies])) is not None:
            raise refuse(("buttons", place, block, field), "stands twice: give each its own")
