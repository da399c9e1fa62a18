"""`garbo.operator.acted.v1`: a person looked at what is private, or decided what becomes of records."""

from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from garbo.common.events.base import NULL_IS_ABSENT, Event
from garbo.common.events.ids import fact_id_of
from garbo.common.events.instants import Instant

MAX_LETTERS: Final = 500
OperatorAction: TypeAlias = Literal[
    "letters_shown", "letters_redriven", "letters_discarded", "webhooks_replayed"
]
Words = Annotated[str, Field(min_length=1, max_length=200)]
LetterPlace = Annotated[str, Field(pattern=r"^[0-9]{1,9}/[0-9]{1,19}$")]


class OperatorActed(Event):
    """What an operator did with records that were refused or kept, and who it was.

    Written before it is done, and without it, it is not done.
    """

    action: OperatorAction
    """letters_shown: contents of dead letters. letters_discarded: nobody shall try them again."""
    service: Words
    """Whose records they are."""
    by: Words
    """Who did it, as they named themselves."""
    choice: Annotated[str, Field(max_length=1000), NULL_IS_ABSENT] = ""
    """Which records were meant, as it was typed."""
    why: Words | None = None
    letters: Annotated[tuple[LetterPlace, ...], Field(max_length=MAX_LETTERS), NULL_IS_ABSENT] = ()
    """Of letters that were discarded: partition and offset in the dead-letter topic."""
    acted_at: Instant

    @property
    def event_id(self) -> str:
        """A hash of what was done, by whom, to which, and when."""
        about = (self.action, self.service, self.by, self.acted_at.isoformat())
        return str(fact_id_of(*about, *self.letters[:1]))

    @property
    def happened_at(self) -> datetime:
        """When it was done."""
        return self.acted_at
