"""Files that a message shows: by the platform's id, by a link, or as a file that was given to Garbo.

A link is fetched by the platform, or by Garbo where the business file lists its host.
Source: Meta, Cloud API reference "Messages" (read 2026-11): what stands beside a file depends on its kind.
"""

from typing import Annotated, Self, TypeVar

from pydantic import AfterValidator, Field, model_validator

from garbo.common.events.base import Part
from garbo.common.events.shown_text import SHOWN, PlatformId, Url
from garbo.common.events.vendor_object import refuse

M = TypeVar("M", bound="Media")
FileName = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
"""What the sender's `POST /v1/media` called a file: by its content."""


class Media(Part):
    """A media object: exactly one of the platform's id, a link, and a file that was given to Garbo."""

    id: PlatformId | None = None
    link: Url | None = None
    file: FileName | None = None
    """As `POST /v1/media` of the sender named it, for the same brand; Garbo uploads it for the number."""
    caption: Annotated[str, Field(max_length=1024), SHOWN] | None = None
    """Of an image, a video or a document."""
    filename: Annotated[str, Field(max_length=240), SHOWN] | None = None
    """Of a document."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(given is not None for given in (self.id, self.link, self.file)) != 1:
            raise ValueError("give exactly one of id, link and file")
        return self


class Recording(Media):
    """A recording; as a voice note (OGG, Opus) it shows who speaks, and is told when it is played."""

    voice: bool | None = None


def _without(media: M, *fields: str) -> M:
    for field in fields:
        if getattr(media, field) is not None:
            raise refuse((field,), "is not shown beside a file of this kind: leave it out")
    return media


Captioned = Annotated[Media, AfterValidator(lambda media: _without(media, "filename"))]
"""An image or a video."""
Bare = Annotated[Media, AfterValidator(lambda media: _without(media, "caption", "filename"))]
"""A sticker, a template's or an interactive message's header."""
Audio = Annotated[Recording, AfterValidator(lambda media: _without(media, "caption", "filename"))]
"""A recording."""
Unsaid = Annotated[Media, AfterValidator(lambda media: _without(media, "caption"))]
"""A document in a template's header: with its name, and without words of its own."""
