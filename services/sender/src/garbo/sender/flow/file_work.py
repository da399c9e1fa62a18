"""The work on customers' files: fetched a few at a time, told, and deleted when their time is over."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import structlog

from garbo.common.errors import RetryLater
from garbo.sender.domain.incoming_files import ClaimedFile, FileEnd, KeptFile, LaterFile, RefusedFile
from garbo.sender.flow.file_fetch import BUSY, FetchFile
from garbo.sender.ports.incoming_files import FileFigures, FileNews, IncomingFiles
from garbo.sender.ports.media_store import MediaStore

SEATS: Final = 8
"""Files fetched at once by a process."""
LEASE: Final = timedelta(seconds=60)
"""For asking where a file is; it is made longer by how large the file is."""
EVERY_S: Final = 1.0
AT_ONCE: Final = 200
HALF_WRITTEN_FOR: Final = timedelta(days=1)
"""No writer takes so long: whoever began was killed."""
SWEEP_EVERY_S: Final = 3600.0

log = structlog.get_logger()


@dataclass(slots=True)
class WorkOnFiles:
    """Runs beside everything else. Each step is bounded; what one cannot do now, the next round tries."""

    files: IncomingFiles
    fetch: FetchFile
    store: MediaStore
    news: FileNews
    figures: FileFigures
    keep: timedelta
    now: Callable[[], float]
    every_s: float = EVERY_S
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)
    _look_at: float = float("-inf")
    _sweep_at: float = float("-inf")

    async def run(self) -> None:
        """Go on for ever; when told to stop, what is under way is given up and taken by others."""
        try:
            while True:
                await self._tried(self.begin)
                if self.now() >= self._look_at:
                    for step in (self.tell, self.shred, self.sweep, self._show):
                        await self._tried(step)
                    self._look_at = self.now() + self.every_s
                await self._pause()
        finally:
            for task in self._under_way:
                task.cancel()
            if self._under_way:
                await asyncio.wait(self._under_way)

    async def begin(self) -> None:
        """Claim as many as there are seats for, and let them begin."""
        for task in [task for task in self._under_way if task.done()]:
            self._under_way.discard(task)
            task.result()
        if room := SEATS - len(self._under_way):
            for claimed in await self.files.claim(limit=room, lease=LEASE):
                self._under_way.add(asyncio.create_task(self.work_on(claimed)))

    async def work_on(self, claimed: ClaimedFile) -> None:
        """Try one file, and write down how it ended."""
        began = self.now()
        end: FileEnd | LaterFile | None = None
        try:
            end = await self.fetch.attempt(claimed)
            await self._write_down(claimed, end)
        except RetryLater as later:
            log.warning("a file waits", why=later.why)
        except asyncio.CancelledError:
            await self._give_back(claimed)
            raise
        if end is not None:
            outcome, reason = _words(end)
            size_bytes = end.size_bytes if isinstance(end, KeptFile) else 0
            seconds = self.now() - began
            self.figures.tried(outcome, reason, seconds=seconds, size_bytes=size_bytes)
            log.info("file tried", outcome=outcome, reason=reason, size_bytes=size_bytes, tries=claimed.tries)

    async def tell(self) -> None:
        """Tell what has ended."""
        untold = await self.files.take_untold()
        if untold:
            await self.news.publish([news for _, _, news in untold])
            await self.files.told([(ref, tell_at) for ref, tell_at, _ in untold])

    async def shred(self) -> None:
        """Delete what is doomed: first the file, then the note that it is there."""
        while doomed := await self.files.take_doomed(limit=AT_ONCE):
            await self.store.delete([one.key for one in doomed])
            await self.files.shredded([one.message_ref for one in doomed if one.is_last])
            if len(doomed) < AT_ONCE:
                break

    async def sweep(self) -> None:
        """Each hour: doom what is past its time, and remove what killed writers left."""
        if self.now() < self._sweep_at:
            return
        more = await self.files.expire(limit=AT_ONCE)
        if more:
            return
        swept = await self.store.sweep(older_than=HALF_WRITTEN_FOR)
        self._sweep_at = self.now() + SWEEP_EVERY_S
        if swept:
            log.info("half written files removed", count=swept)

    async def _write_down(self, claimed: ClaimedFile, end: FileEnd | LaterFile) -> None:
        if isinstance(end, LaterFile):
            await self.files.postpone(claimed, end, counts=end is not BUSY)
            return
        if await self.files.end(claimed, end, keep=self.keep) or not isinstance(end, KeptFile):
            return
        if await self.files.is_unwanted(claimed.file.message_ref):  # it was erased meanwhile
            await self.store.delete([claimed.file.key])

    async def _give_back(self, claimed: ClaimedFile) -> None:
        try:
            async with asyncio.timeout(1.0):
                await self.files.postpone(claimed, LaterFile("stopped", 0.0), counts=False)
        except (RetryLater, TimeoutError):
            log.warning("a file waits", why="its claim ends by itself")

    async def _tried(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            await step()
        except RetryLater as later:
            log.warning("files wait", why=later.why)

    async def _show(self) -> None:
        self.figures.waiting(await self.files.counts())

    async def _pause(self) -> None:
        """Wait a moment, or until a seat is free."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=self.every_s, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(self.every_s)


def _words(end: FileEnd | LaterFile) -> tuple[str, str]:
    match end:
        case KeptFile():
            return "stored", ""
        case RefusedFile(reason):
            return "refused", reason
        case LaterFile(reason):
            return "later", reason
        case _:
            return "gone", end.reason
