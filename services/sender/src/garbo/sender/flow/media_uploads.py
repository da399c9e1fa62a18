"""Messages that show files wait here until the platform has them.

    wanted -- link? --> fetched --> uploaded, once a number --> the body is whole --> on, in their order

Several processes do this together: each piece of work is claimed. A slow file delays those that show it, and
who stands behind them for the same person; nobody else.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from garbo.common.errors import RetryLater
from garbo.sender.domain.error_codes import CODES
from garbo.sender.domain.outcomes import Answer, Answered, code_of
from garbo.sender.domain.queued_send import QueuedSend
from garbo.sender.domain.shown_files import LARGEST_BYTES
from garbo.sender.domain.wanted_media import REFUSED, UNKNOWN, UNREACHABLE
from garbo.sender.flow.media_library import EmptyFile, MediaLibrary, NotThatType
from garbo.sender.ports.fetches import Fetches, FetchFailed, FetchRefused
from garbo.sender.ports.media import MediaNeeds, MediaUploading, Need
from garbo.sender.ports.media_store import TooLarge

LOOK_EVERY_S: Final = 0.5
NEEDS_AT_ONCE: Final = 200
SETTLED_AT_ONCE: Final = 500
MOST_AT_ONCE, MOST_OF_ONE = 16, 4
LEASE: Final = timedelta(seconds=60)
UPLOADED_FOR: Final = timedelta(days=29)
"""The platform keeps it for 30."""
LINK_FOR: Final = timedelta(minutes=10)
"""As long as the platform trusts what it fetched from a link."""
FETCHED_KEPT_FOR: Final = timedelta(days=1)
FETCH_S: Final = 120.0
MOST_FETCHES: Final = 2
FAULT_FOR: Final = timedelta(seconds=60)
"""So long nobody tries again what will not be had."""
LONGEST_WAIT_S: Final = 60.0
FIRST_WAIT_S: Final = 2.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Refused:
    """It will not be had."""

    why: str


@dataclass(frozen=True, slots=True)
class _Later:
    """It may be had another time."""

    why: str
    after_s: float | None = None


class MediaUploads:
    """See the module. `held` says whether a number's account may not be called now."""

    def __init__(  # noqa: PLR0913 - wired once
        self,
        needs: MediaNeeds,
        *,
        library: MediaLibrary,
        fetches: Fetches,
        platform: MediaUploading,
        refuse: Callable[[QueuedSend, str], None],
        held: Callable[[str], bool],
        note: Callable[[str, str], None],
    ) -> None:
        """Make it; `note` counts what was done, and how it ended."""
        self._needs, self._library, self._fetches, self._platform = needs, library, fetches, platform
        self._refuse, self._held, self._note = refuse, held, note
        self._at_work: dict[str, tuple[str, asyncio.Task[None]]] = {}
        self._place: Need | None = None
        self._wanted = asyncio.Event()

    async def run(self) -> None:
        """Go on for ever; what is under way when this ends is left to others, once its lease is over."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wanted.clear()
                try:
                    await self._look(group)
                except RetryLater as later:
                    log.warning("files wait", why=later.why)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_EVERY_S):
                        await self._wanted.wait()

    async def _look(self, group: asyncio.TaskGroup) -> None:
        """Let go on who can, and begin what is to be done; of very many needs the next ones each time."""
        await self._needs.let_go(limit=SETTLED_AT_ONCE)
        needs = await self._needs.needs(self._place, limit=NEEDS_AT_ONCE)
        self._place = needs[-1] if len(needs) == NEEDS_AT_ONCE else None
        if self._place:
            self._wanted.set()
        for need in needs:
            if need.settled:
                await self._settle(need)
            elif need.due and self._has_room(need):
                task = group.create_task(self._work(need), name=need.work)
                self._at_work[need.work] = (need.number, task)
                task.add_done_callback(partial(self._ended, need.work))

    def _has_room(self, need: Need) -> bool:
        if need.work in self._at_work or len(self._at_work) >= MOST_AT_ONCE or self._held(need.number):
            return False
        return Counter(number for number, _ in self._at_work.values())[need.number] < MOST_OF_ONE

    def _ended(self, work: str, _: "asyncio.Task[None]") -> None:
        del self._at_work[work]
        self._wanted.set()

    async def _settle(self, need: Need) -> None:
        while True:
            settled = await self._needs.settle(need, limit=SETTLED_AT_ONCE)
            for send, why in settled.refused:
                self._refuse(send, why)
            if settled.count < SETTLED_AT_ONCE:
                return

    async def _work(self, need: Need) -> None:
        try:
            tries = await self._needs.claim(need, lease=LEASE)
            if tries is None:
                return
            async with self._leased(need):
                ended = await (self._fetch(need) if need.sha256 is None else self._upload(need, need.sha256))
            await self._put_off(need, ended, tries)
        except RetryLater as later:
            log.warning("a file waits", why=later.why)

    async def _put_off(self, need: Need, ended: _Refused | _Later | None, tries: int) -> None:
        kind = "fetch" if need.sha256 is None else "upload"
        self._note(kind, ended.why if ended else "done")
        if isinstance(ended, _Later) and kind == "fetch" and tries + 1 >= MOST_FETCHES:
            ended = _Refused(UNREACHABLE)
        if isinstance(ended, _Refused):
            await self._needs.put_off(need, FAULT_FOR, fault=ended.why)
        elif ended:
            wait_s = ended.after_s or FIRST_WAIT_S * 2 ** min(tries, 8)
            await self._needs.put_off(need, timedelta(seconds=min(LONGEST_WAIT_S, wait_s)))

    async def _fetch(self, need: Need) -> _Refused | _Later | None:
        """Fetch what a link leads to into the store."""
        link = await self._needs.first_link(need)
        if link is None:
            return _Later("nobody_waits")
        try:
            async with self._fetches.get(link, most_bytes=LARGEST_BYTES, within_s=FETCH_S) as found:
                if found.mime_type is None:
                    return _Refused(REFUSED)
                file = await self._library.take(
                    need.brand, found.mime_type, found.parts(), keep=FETCHED_KEPT_FOR
                )
        except FetchFailed as failed:
            return _Later(failed.why, failed.after_s)
        except FetchRefused as refused:
            return _Refused(REFUSED if refused.why == "too_large" else UNREACHABLE)
        except (TooLarge, NotThatType, EmptyFile):
            return _Refused(REFUSED)
        await self._needs.fetched(need, file.sha256, good_for=LINK_FOR)
        return None

    async def _upload(self, need: Need, sha256: str) -> _Refused | _Later | None:
        """Have the platform keep a file for the number."""
        store, file = self._library.store, await self._library.files.find(need.brand, sha256)
        if file is None or not await store.exists(file.key):
            return _Refused(UNKNOWN)
        answer = await self._platform.upload(need.number, file, lambda: store.open(file.key))
        ended = _judged(answer)
        if not isinstance(ended, str):
            return ended
        await self._needs.uploaded(need, ended, good_for=UPLOADED_FOR)
        return None

    @asynccontextmanager
    async def _leased(self, need: Need) -> AsyncIterator[None]:
        """Keep others from it for as long as it takes."""
        renewing = asyncio.get_running_loop().create_task(self._renew_for_ever(need))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew_for_ever(self, need: Need) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            with suppress(RetryLater):
                await self._needs.renew(need, lease=LEASE)


def _judged(answer: Answer) -> str | _Refused | _Later:
    """Read the answer to an upload: an id, or what it says. To upload twice harms nobody."""
    if not isinstance(answer, Answered):
        return _Later(answer.how)
    media_id = (answer.body or {}).get("id")
    if answer.status in range(200, 300):
        return media_id if isinstance(media_id, str) and media_id else _Later("unreadable_answer")
    code = code_of(answer.body)
    known = CODES.get(code) if code is not None else None
    passes = answer.status >= 500 or answer.status in (401, 403, 408, 429)  # noqa: PLR2004 - HTTP
    if passes or (known and known.act != "permanent"):
        return _Later(known.word if known else f"http_{answer.status}", answer.retry_after_s)
    return _Refused(REFUSED)
