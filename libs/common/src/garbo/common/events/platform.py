"""`garbo.platform.change.v1`: what the platform says of accounts, numbers, templates, preferences."""

from datetime import datetime

from garbo.common.events.addresses import Person
from garbo.common.events.base import Event, Json
from garbo.common.events.instants import Instant


class PlatformChange(Event):
    """A change of something that is not a message; unknown fields are kept raw."""

    change_id: str
    """Hash of account, field and value: redeliveries share it."""
    waba: str
    field: str
    """The webhook field, such as template_category_update."""
    number: str | None = None
    person: Person | None = None
    """Whom it is about, where it is about one person: `user_preferences`, `user_id_update`. The value then
    holds what was said of this person alone."""
    changed_to: Person | None = None
    """The address they have from now on, for `user_id_update`; `person` is as it was before."""
    value: Json
    occurred_at: Instant | None = None
    received_at: Instant

    @property
    def event_id(self) -> str:
        """The change's hash."""
        return self.change_id

    @property
    def happened_at(self) -> datetime:
        """The platform's instant if it gives one, else ours."""
        return self.occurred_at or self.received_at
