"""What interactive messages of several kinds are made of.

Source: Meta, OpenAPI description of the Business Messaging API v23, HeaderObject, BodyObject, FooterObject
(read 2026-11).
"""

from typing import Annotated, Final, Literal

from pydantic import BaseModel, BeforeValidator, Field, WithJsonSchema

from garbo.common.events.base import Part
from garbo.common.events.media import Bare, Media
from garbo.common.events.shown_text import SHOWN
from garbo.common.events.vendor_object import ByType, refuse

Title = Annotated[str, Field(min_length=1, max_length=20), SHOWN]
"""What stands on a button."""
SomeId = Annotated[str, Field(min_length=1), SHOWN]
ReplyId = Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=256), SHOWN]
"""What comes back when a button is pressed."""


def _refuse_shown(_: object) -> None:
    raise refuse((), "is not shown in a message of this type: leave it out")


NotShown = Annotated[None, BeforeValidator(_refuse_shown), WithJsonSchema({"not": {}})]
"""Of a field that this kind of message does not have."""


class _Above(Part):
    sub_text: Annotated[str, Field(min_length=1, max_length=60), SHOWN] | None = None


class TextHeader(_Above):
    """A line above the body."""

    type: Literal["text"]
    text: Annotated[str, Field(min_length=1, max_length=60), SHOWN]


class ImageHeader(_Above):
    """An image above the body."""

    type: Literal["image"]
    image: Bare


class VideoHeader(_Above):
    """A video above the body."""

    type: Literal["video"]
    video: Bare


class DocumentHeader(_Above):
    """A document above the body."""

    type: Literal["document"]
    document: Media


_FILES: Final = {"image": ImageHeader, "video": VideoHeader}
Header = Annotated[BaseModel, ByType({"text": TextHeader, "document": DocumentHeader, **_FILES})]
"""What stands above the body: a text or a file."""
LineHeader = Annotated[BaseModel, ByType({"text": TextHeader})]
"""A text above the body; files are not shown there."""
FileHeader = Annotated[BaseModel, ByType(_FILES)]
"""An image or a video."""


class MessageBody(Part):
    """The words of the message."""

    text: Annotated[str, Field(min_length=1, max_length=1024), SHOWN]


class MessageFooter(Part):
    """The small words below."""

    text: Annotated[str, Field(min_length=1, max_length=60), SHOWN]


class WithBody(Part):
    """An interactive message with words, and perhaps something above and below them."""

    header: Header | None = None
    body: MessageBody
    footer: MessageFooter | None = None
