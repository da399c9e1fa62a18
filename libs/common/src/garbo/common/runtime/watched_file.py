"""A file that may change while the process runs: taken once it stands still; a bad one changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Final, Generic, TypeAlias, TypeVar

import structlog
from prometheus_client import Gauge

from garbo.common.errors import RetryLater, StartRefused
from garbo.common.runtime.background import Background

LOOK_EVERY_S: Final = 1.0
"""A change is in force after one to two looks: the file must have stood still for one."""
REFUSED: Final = Gauge(
    "garbo_file_refused", "1 while a changed file is not in force, for something is wrong with it", ["file"]
)

T = TypeVar("T")
Stamp: TypeAlias = tuple[tuple[int, int, int, int] | None, ...]
"""Of each file device, inode, size, change: what differs when it is written, renamed over, its link moved."""
log = structlog.get_logger()


class StillFiles:
    """Tells that files have changed and stood still since the last look: half a file may be right, too."""

    def __init__(self, paths: Callable[[], Iterable[Path]]) -> None:
        self._paths = paths
        self._taken = self._last = self._stamp()
        """Of what was taken or refused, and at the last look."""

    def changed(self) -> bool:
        """Look; say whether there is something to take."""
        before, self._last = self._last, self._stamp()
        return self._last != self._taken and self._last == before

    def is_still(self) -> bool:
        """Say whether nothing has happened since the last look."""
        return self._stamp() == self._last

    def take(self) -> None:
        """Note that what was seen at the last look is dealt with."""
        self._taken = self._last

    def _stamp(self) -> Stamp:
        return tuple(_stamp(path) for path in self._paths())


class WatchedFile(Generic[T]):
    """A component: `current` is what the file says, and `use` is called with it whenever that changes.

    `read` raises `StartRefused` for what is wrong with the file: then the last good one stays. It is read
    when this is made, so a bad one stops the start. `beside` names files it leads to. `use` may raise
    `RetryLater`.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        read: Callable[[], T],
        *,
        use: Callable[[T], Awaitable[None]],
        beside: Callable[[T], Iterable[Path]] = lambda _: (),
    ) -> None:
        self._name, self._read, self._use = name, read, use
        self._path, self._beside = path, beside
        self.current = read()
        self._files = StillFiles(self._paths)
        self.current = read()  # what changed between the two would be noticed by nobody
        REFUSED.labels(name).set(0)
        self._looking = Background(f"watch {name}", self._keep_looking)

    async def start(self) -> None:
        """Look from now on."""
        await self._looking.start()

    async def stop(self) -> None:
        """Look no more; what is in force stays."""
        await self._looking.stop()

    async def wait_failed(self) -> BaseException:
        """Return when nobody looks any more."""
        return await self._looking.wait_failed()

    async def look(self) -> None:
        """Take the file if it has changed and stood still since the last look. Raises what `use` raises."""
        if not self._files.changed():
            return
        try:
            read = await asyncio.to_thread(self._read)
        except StartRefused as refused:
            self._files.take()
            REFUSED.labels(self._name).set(1)
            why = str(refused)
            log.error("changed file refused: the last good one stays", file=self._name, why=why)  # noqa: TRY400
            return
        if not self._files.is_still():
            return
        if read != self.current:
            await self._use(read)
            self.current = read
            log.info("changed file in force", file=self._name)
        self._files.take()
        REFUSED.labels(self._name).set(0)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.look()
            except RetryLater as later:
                log.warning("changed file waits", file=self._name, why=later.why)

    def _paths(self) -> Iterable[Path]:
        return (self._path, *self._beside(self.current))


def _stamp(path: Path) -> tuple[int, int, int, int] | None:
    """Tell one state of a file from another, through links; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
