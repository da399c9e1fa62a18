"""What a message says: WhatsApp's own message types, with the limits beyond which it surely refuses them.

Source: Meta, Cloud API reference "Messages" (read 2026-11).
"""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field

from garbo.common.events.base import NULL_IS_ABSENT, Json, Part, bounded
from garbo.common.events.contact_cards import ContactCard
from garbo.common.events.interactive.message import Interactive
from garbo.common.events.location import Location
from garbo.common.events.media import Audio, Bare, Captioned, Media
from garbo.common.events.shown_text import SHOWN, PlatformId, Told
from garbo.common.events.template import Template
from garbo.common.events.vendor_object import HeldTo


class Text(Part):
    """Free text, 4,096 characters at most."""

    body: Annotated[str, Field(min_length=1, max_length=4096), SHOWN]
    preview_url: Annotated[bool, NULL_IS_ABSENT] = False


_EMOJI: Final = Told(
    r"^(?:[^\p{L}\s]*[^\p{L}\p{M}\p{Z}\p{C}][^\p{L}\s]*)?$",
    "no_emoji",
    "must be one emoji, or empty to take the reaction back",
)


class Reaction(Part):
    """One emoji for one message; an empty one takes it back."""

    message_id: PlatformId
    emoji: Annotated[str, Field(max_length=32), _EMOJI]


class TextContent(Part):
    """A free-form text message."""

    type: Literal["text"] = "text"
    text: Text


class TemplateContent(Part):
    """A template message."""

    type: Literal["template"] = "template"
    template: Template


class ImageContent(Part):
    """An image."""

    type: Literal["image"] = "image"
    image: Captioned


class VideoContent(Part):
    """A video."""

    type: Literal["video"] = "video"
    video: Captioned


class AudioContent(Part):
    """A recording, or a voice note."""

    type: Literal["audio"] = "audio"
    audio: Audio


class DocumentContent(Part):
    """A document."""

    type: Literal["document"] = "document"
    document: Media


class StickerContent(Part):
    """A sticker (WebP)."""

    type: Literal["sticker"] = "sticker"
    sticker: Bare


class ContactsContent(Part):
    """Up to five contact cards."""

    type: Literal["contacts"] = "contacts"
    contacts: Annotated[tuple[ContactCard, ...], Field(min_length=1, max_length=5)]


class InteractiveContent(Part):
    """Buttons, lists, links, flows, products."""

    type: Literal["interactive"] = "interactive"
    interactive: Annotated[Json, AfterValidator(bounded), HeldTo(Interactive)]


class LocationContent(Part):
    """A place."""

    type: Literal["location"] = "location"
    location: Annotated[Json, AfterValidator(bounded), HeldTo(Location)]


class ReactionContent(Part):
    """A reaction to one of the person's messages."""

    type: Literal["reaction"] = "reaction"
    reaction: Annotated[Json, AfterValidator(bounded), HeldTo(Reaction)]


Content = Annotated[
    TextContent
    | TemplateContent
    | ImageContent
    | VideoContent
    | AudioContent
    | DocumentContent
    | StickerContent
    | ContactsContent
    | InteractiveContent
    | LocationContent
    | ReactionContent,
    Field(discriminator="type"),
]
