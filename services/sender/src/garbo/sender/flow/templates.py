"""Templates follow the platform: each account is read at the start, on a schedule, and when it changed."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from garbo.common.clock import Clock
from garbo.common.errors import RetryLater
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import GONE, TemplateRegistry
from garbo.sender.domain.template_components import read_template

DEBOUNCE: Final = timedelta(seconds=2)
"""What changes together is read once."""
BUSY_COUNT: Final = 20
"""So many readings in an hour, and changes are gathered for `BUSY`: the platform takes 200 calls an hour and
account, a page each (Meta, Graph API "Rate limits", read 2026-11)."""
BUSY: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
TRY_AGAIN: Final = timedelta(minutes=1)
BELIEVED_FOR: Final = 3
"""So many intervals: one reading may fail, and the next one, before anybody stops believing the last."""
BELIEVED_LEAST: Final = timedelta(hours=1)
LONGEST_WAIT_S: Final = 60.0
"""Then it is looked anew which accounts there are."""

log = structlog.get_logger()


class CannotRead(Exception):  # noqa: N818 - it says what happened
    """The platform did not show an account's templates; `why` is a code or a short word."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TemplateLists(Protocol):
    """The platform's lists of templates."""

    async def of_account(self, waba: str, *, number: str) -> Sequence[dict[str, Any]]:
        """Give all of an account's templates, asked with this number's token; raises `CannotRead`."""
        ...


class TemplateRecords(Protocol):
    """Where what was read is told."""

    async def publish(self, records: Sequence[TemplateObserved]) -> None:
        """Return when all are kept, in this order, else raise `RetryLater`."""
        ...


@dataclass(slots=True)
class FollowTemplates:
    """Tells what differs from what was told. Several processes that read the same do no harm."""

    accounts: Callable[[], Mapping[str, Sequence[str]]]
    """The accounts there are now, each with the numbers whose tokens may read it."""
    lists: TemplateLists
    records: TemplateRecords
    known: TemplateRegistry
    """What was told, by whichever process."""
    clock: Clock
    every: timedelta
    _due: dict[str, datetime] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _read_at: defaultdict[str, deque[datetime]] = field(default_factory=lambda: defaultdict(deque))
    """When each account was read in the last hour."""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self, waba: str) -> None:
        """Read an account soon: the platform said that something of its templates is different."""
        if waba in self._changed:
            return
        now, read_at = self.clock.now(), self._read_at[waba]
        while read_at and read_at[0] < now - _HOUR:
            read_at.popleft()
        self._changed.add(waba)
        self._due[waba] = now + (DEBOUNCE if len(read_at) < BUSY_COUNT else BUSY)
        self._woken.set()

    async def run(self) -> None:
        """Read what is due, for ever."""
        while True:
            self._woken.clear()
            wait_s = await self.read_due()
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def read_due(self) -> float:
        """Read each account that is due; give the seconds until the next one may be."""
        accounts = self.accounts()
        for waba, numbers in accounts.items():
            now = self.clock.now()
            if self._due.get(waba, now) <= now:
                self._due[waba] = now + await self._read_if_needed(waba, numbers)
        now = self.clock.now()
        waits_s = [(self._due[waba] - now).total_seconds() for waba in accounts]
        return max(0.0, min(waits_s, default=LONGEST_WAIT_S))

    async def read(self, waba: str, numbers: Sequence[str]) -> Sequence[TemplateObserved]:
        """Read an account and tell what differs; gives what was told, the account's own record last.

        Raises `CannotRead` with the last number's reason, and `RetryLater`.
        """
        at = self.clock.now()
        self._read_at[waba].append(at)
        items = await self._list(waba, numbers)
        shown = [one for item in items if (one := read_template(item, waba=waba, at=at))]
        here = {one.key for one in shown}
        gone = [_gone(one, at) for one in self.known.of(waba) if one.key not in here]
        believed_until = at + max(self.every * BELIEVED_FOR, BELIEVED_LEAST)
        account = TemplateObserved(waba=waba, observed_at=at, believed_until=believed_until)
        told = [one for one in (*shown, *gone) if self._is_news(one)]
        await self.records.publish([*told, account])
        log.info("templates read", waba=waba, templates=len(shown), told=len(told), gone=len(gone))
        return [*told, account]

    async def _list(self, waba: str, numbers: Sequence[str]) -> Sequence[dict[str, Any]]:
        """Ask with one number's token after the other, until one may see the account."""
        refused = CannotRead("no_number")
        for number in numbers:
            try:
                return await self.lists.of_account(waba, number=number)
            except CannotRead as cannot:
                refused = cannot
        raise refused

    async def _read_if_needed(self, waba: str, numbers: Sequence[str]) -> timedelta:
        """Read, unless another process just has; give when to look again."""
        last, told_of_change = self.known.account(waba), waba in self._changed
        if last and waba in self._due and not told_of_change:
            left = last.observed_at + self.every * 0.9 - self.clock.now()
            if left > timedelta():
                return left + self.every * 0.1
        self._changed.discard(waba)
        try:
            await self.read(waba, numbers)
        except CannotRead as cannot:
            log.warning("templates not read", waba=waba, why=cannot.why)
        except RetryLater as later:
            log.warning("templates not told", waba=waba, why=later.why)
        else:
            return self.every
        return min(self.every, TRY_AGAIN)

    def _is_news(self, record: TemplateObserved) -> bool:
        known = self.known.known.get(record.key)
        return not record.same_as(known) and (known is None or known.observed_at <= record.observed_at)


def _gone(known: TemplateObserved, at: datetime) -> TemplateObserved:
    return known.model_copy(update={"status": GONE, "observed_at": at, "takes": None, "quality": None})
