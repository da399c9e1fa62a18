"""`garbo.pause.changed.v1`: something may not be sent for a while, or may be again."""

from datetime import datetime
from typing import Literal

from garbo.common.events.base import Event
from garbo.common.events.ids import fact_id_of
from garbo.common.events.instants import Instant

PauseScope = Literal["account", "number", "promo", "template", "campaign"]
"""account, number: all of it. promo: the promos of one number. template: one template of one account.
campaign: one campaign of one brand."""
PauseSource = Literal["code", "platform", "operator"]
"""code: the platform's answer to a send, or a status. platform: what it told of account, number or template.
operator: a person, or a service with the scope admin."""


class PauseChanged(Event):
    """Something was paused, or a pause ended. Each source pauses by itself; all of them must have ended.

    What waits behind a pause keeps its deadline.
    """

    change: Literal["paused", "resumed"]
    scope: PauseScope
    name: str
    """account: its id. number, promo: the platform's id of the number. template: account:name:language, `*`
    for all names or languages. campaign: brand:campaign."""
    source: PauseSource
    reason: str
    """A stable word: why it was paused."""
    by: str
    """Who did it: an error code, a webhook field, a client of the business file, `accepted` (a send that was
    to find out), `time`."""
    changed_at: Instant
    until: Instant | None = None
    """Of a pause: when it ends by itself; null: when somebody says so."""

    @property
    def event_id(self) -> str:
        """A hash of what it is about, what became of it, and when."""
        about = (self.scope, self.name, self.source, self.change)
        return str(fact_id_of(*about, self.changed_at.isoformat()))

    @property
    def happened_at(self) -> datetime:
        """When it began or ended."""
        return self.changed_at

    @property
    def key(self) -> str:
        """The record's key: what is paused."""
        return f"{self.scope}:{self.name}"
