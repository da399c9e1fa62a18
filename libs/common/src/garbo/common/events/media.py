"""Files that a message shows, by the platform's id or by a link that it fetches (never Garbo).

Source: Meta, Cloud API reference "Messages" (read 2026-11): what stands beside a file depends on its kind.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from garbo.common.events.base import Part
from garbo.common.events.shown_text import SHOWN, PlatformId, Url
from garbo.common.events.vendor_object import refuse


class Media(Part):
    """A media object: exactly one of the platform's id and a link."""

    id: PlatformId | None = None
    link: Url | None = None
    caption: Annotated[str, Field(max_length=1024), SHOWN] | None = None
    """Of an image, a video or a document."""
    filename: Annotated[str, Field(max_length=240), SHOWN] | None = None
    """Of a document."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.id is None) == (self.link is None):
            raise ValueError("give exactly one of id and link")
        return self


def _without(media: Media, *fields: str) -> Media:
    for field in fields:
        if getattr(media, field) is not None:
            raise refuse((field,), "is not shown beside a file of this kind: leave it out")
    return media


Captioned = Annotated[Media, AfterValidator(lambda media: _without(media, "filename"))]
"""An image or a video."""
Bare = Annotated[Media, AfterValidator(lambda media: _without(media, "caption", "filename"))]
"""A recording, a sticker, a template's or an interactive message's header."""
