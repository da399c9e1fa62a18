"""`garbo.platform.change.v1`: what the platform says of accounts, numbers, templates, preferences."""

from datetime import datetime

from pydantic import AwareDatetime

from garbo.common.events.base import Event, Json


class PlatformChange(Event):
    """A change of something that is not a message; unknown fields are kept raw."""

    change_id: str
    """Hash of account, field and value: redeliveries share it."""
    waba: str
    field: str
    """The webhook field, such as template_category_update."""
    number: str | None = None
    value: Json
    occurred_at: AwareDatetime | None = None
    received_at: AwareDatetime

    @property
    def event_id(self) -> str:
        """The change's hash."""
        return self.change_id

    @property
    def happened_at(self) -> datetime:
        """The platform's instant if it gives one, else ours."""
        return self.occurred_at or self.received_at
