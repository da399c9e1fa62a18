"""A brand: its numbers, what the router answers for it, its own buttons, the files it keeps."""

from typing import Annotated, Final, Self, get_args

from pydantic import Field, model_validator

from garbo.common.business.section import Section
from garbo.common.events.received_files import FileType
from garbo.common.events.requests import Name

MOST_FILE_BYTES: Final = 100 * 1024 * 1024
Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
"""Two or three letters, such as it."""
Texts = dict[Language, Annotated[str, Field(min_length=1, max_length=1000)]]
"""Language -> text."""
Titles = dict[Language, Annotated[str, Field(min_length=1, max_length=20)]]
"""Language -> a button's title; the platform takes 20 characters."""


class Replies(Section):
    """What the router itself answers to STOP, and to a word that may mean it. Unsaid: its own words."""

    enabled: bool = True
    """Without replies a word that may mean STOP holds promo all the same, and nobody is asked."""
    stopped: Texts = Field(default_factory=dict)
    """Once, after a STOP."""
    question: Texts = Field(default_factory=dict)
    """After a word that may have meant STOP."""
    stop: Titles = Field(default_factory=dict)
    """The button that says yes to the question."""
    keep: Titles = Field(default_factory=dict)
    """The button that says no."""


Payload = Annotated[str, Field(min_length=1, max_length=256)]
"""The id a brand gives to a button or list row; the platform takes 256 characters."""


class Buttons(Section):
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


class KeptFiles(Section):
    """Which files of customers a brand keeps; unsaid: none."""

    keep_incoming: bool = False
    """What customers send to its numbers is fetched into the media store."""
    most_bytes: Annotated[int, Field(ge=1, le=MOST_FILE_BYTES)] = MOST_FILE_BYTES
    """Larger ones are refused; WhatsApp takes 100 MB."""
    types: Annotated[tuple[FileType, ...], Field(min_length=1)] = get_args(FileType)
    """Others are refused, by what is declared and by their bytes."""


class Brand(Section):
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
    media: KeptFiles = KeptFiles()
