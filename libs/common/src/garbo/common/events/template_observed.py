"""`garbo.template.observed.v1`: what the platform shows of an account's templates, as it was read there."""

from datetime import datetime

from garbo.common.events.base import Event
from garbo.common.events.instants import Instant
from garbo.common.events.template_takes import Takes


class TemplateObserved(Event):
    """A template as the platform last showed it; or, without a name, that an account was read to its end.

    The newest record of each key is kept for ever. What an account's reading did not show is told as gone; a
    template nobody told of is unknown to the platform, while the account's own record is believed.
    """

    waba: str
    name: str | None = None
    """None: the record is the account's own."""
    language: str | None = None
    """As the platform writes it, such as en_US."""
    category: str | None = None
    """MARKETING, UTILITY, AUTHENTICATION, or a word of tomorrow."""
    status: str | None = None
    """APPROVED, PAUSED, DISABLED, REJECTED, PENDING ... or a word of tomorrow; DELETED: it is gone."""
    quality: str | None = None
    """GREEN, YELLOW, RED or UNKNOWN."""
    takes: Takes | None = None
    """Which values a message must give; None where that could not be read."""
    observed_at: Instant
    """When the reading began."""
    believed_until: Instant | None = None
    """Of an account: refuse nothing by what was read of it later than this, unless it was read again."""

    @property
    def event_id(self) -> str:
        """What it is about, and when it was read."""
        return f"{self.key}:{self.observed_at.isoformat()}"

    @property
    def happened_at(self) -> datetime:
        """When it was read."""
        return self.observed_at

    @property
    def key(self) -> str:
        """The record's key: account, name and language; of an account's own record the account alone."""
        return self.waba if self.name is None else f"{self.waba}:{self.name}:{self.language}"

    def same_as(self, other: "TemplateObserved | None") -> bool:
        """Say whether it tells nothing that the other has not told."""
        return other is not None and other.model_copy(update={"observed_at": self.observed_at}) == self
