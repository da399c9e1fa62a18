"""What a message says: WhatsApp's own message types, typed as far as decisions need.

Source: Meta, Cloud API reference "Messages" (read 2026-11).
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from garbo.common.events.base import Json, Part, bounded


class Text(Part):
    """Free text, 4,096 characters at most."""

    body: Annotated[str, Field(min_length=1, max_length=4096)]
    preview_url: bool = False


class Language(Part):
    """A template's language."""

    code: Annotated[str, Field(pattern=r"^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})?$")]


class Template(Part):
    """An approved template and its parameters, in the platform's own words."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,512}$")]
    language: Language
    components: Annotated[tuple[Json, ...], AfterValidator(bounded)] = ()


class TextContent(Part):
    """A free-form text message."""

    type: Literal["text"] = "text"
    text: Text


class TemplateContent(Part):
    """A template message."""

    type: Literal["template"] = "template"
    template: Template


class Media(Part):
    """A media object: by the platform's id, or by a link that the platform fetches (never Garbo)."""

    id: str | None = None
    link: Annotated[str, Field(pattern=r"^https?://", max_length=2048)] | None = None
    caption: Annotated[str, Field(max_length=1024)] | None = None
    filename: Annotated[str, Field(max_length=240)] | None = None


class ImageContent(Part):
    """An image."""

    type: Literal["image"] = "image"
    image: Media


class VideoContent(Part):
    """A video."""

    type: Literal["video"] = "video"
    video: Media


class AudioContent(Part):
    """A recording."""

    type: Literal["audio"] = "audio"
    audio: Media


class DocumentContent(Part):
    """A document."""

    type: Literal["document"] = "document"
    document: Media


class InteractiveContent(Part):
    """Buttons, lists, flows: the platform checks their inside."""

    type: Literal["interactive"] = "interactive"
    interactive: Annotated[Json, AfterValidator(bounded)]


class LocationContent(Part):
    """A place."""

    type: Literal["location"] = "location"
    location: Annotated[Json, AfterValidator(bounded)]


class ReactionContent(Part):
    """A reaction to one of the person's messages."""

    type: Literal["reaction"] = "reaction"
    reaction: Annotated[Json, AfterValidator(bounded)]


Content = Annotated[
    TextContent
    | TemplateContent
    | ImageContent
    | VideoContent
    | AudioContent
    | DocumentContent
    | InteractiveContent
    | LocationContent
    | ReactionContent,
    Field(discriminator="type"),
]
