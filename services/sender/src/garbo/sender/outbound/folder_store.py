"""Files in a folder: of this machine, or one that several machines mount."""

import asyncio
import hashlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from errno import errorcode
from functools import partial
from pathlib import Path
from threading import Lock
from typing import BinaryIO, Final, ParamSpec, TypeVar

import structlog

from garbo.common.errors import RetryLater, StartRefused
from garbo.sender.domain.media_keys import MediaKey, media_key
from garbo.sender.ports.media_store import NotStored, Stored, TooLarge

INCOMING: Final = ".incoming"
"""Where files are written until they are whole; no key begins with a dot."""
STEP_S: Final = 30.0
"""For one step of the disk; a folder of the network may hang."""
DISCARD_S: Final = 5.0
WRITE_BYTES: Final = 1024 * 1024
"""Written at once: a step in a thread costs more than what the network gives at once."""
READ_BYTES: Final = 256 * 1024
_TRIES: Final = 3
"""A folder may be removed, empty, between its making and its use."""

P = ParamSpec("P")
T = TypeVar("T")

log = structlog.get_logger()


class FolderStore:
    """`MediaStore` in a folder, as a component. Nobody but this process' user can read what it writes."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="media-folder")
        """Of its own: a folder that hangs must not keep others from their threads."""

    async def start(self) -> None:
        """Make the folder; raises `StartRefused` where this process may not write."""
        try:
            await self._step(_try_out, self._root)
        except RetryLater:
            raise StartRefused(
                f"GARBO_MEDIA_STORE: the folder {self._root} cannot be written: make it, and give it to the "
                "user of this process."
            ) from None

    async def stop(self) -> None:
        """Let the threads go; writers must be finished by now."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def put(self, key: MediaKey, parts: AsyncIterator[bytes], *, most_bytes: int) -> Stored:
        """Write beside, flush to the disk, then rename."""
        whole = self._path(key)
        half = _HalfFile(self._root / INCOMING / f"{uuid.uuid4()}.part")
        try:
            await self._step(half.open)
            size_bytes = 0
            waiting = bytearray()
            async for part in parts:
                size_bytes += len(part)
                if size_bytes > most_bytes:
                    raise TooLarge
                waiting += part
                if len(waiting) >= WRITE_BYTES:
                    await self._step(half.write, bytes(waiting))
                    waiting.clear()
            await self._step(half.write, bytes(waiting))
            await self._step(half.become, whole)
        finally:
            await self._discard(half)
        return Stored(size_bytes, half.sha256)

    async def open(self, key: MediaKey) -> AsyncIterator[bytes]:
        """Read it in parts."""
        content = await self._step(_opened, self._path(key))
        if content is None:
            raise NotStored
        try:
            while part := await self._step(content.read, READ_BYTES):
                yield part
        finally:
            await self._step(content.close)

    async def delete(self, keys: Collection[MediaKey]) -> None:
        """Unlink, and remove folders that are empty then."""
        for path in [self._path(key) for key in keys]:
            await self._step(_unlink, path, self._root)

    async def exists(self, key: MediaKey) -> bool:
        """Look."""
        return await self._step(self._path(key).is_file)

    async def sweep(self, *, older_than: timedelta) -> int:
        """Remove old files among the half written ones."""
        return await self._step(_sweep, self._root / INCOMING, older_than.total_seconds())

    async def _discard(self, half: "_HalfFile") -> None:
        """Remove what is half written, or leave it to be swept: who gives up does not wait long."""
        with suppress(RetryLater, TimeoutError):
            async with asyncio.timeout(DISCARD_S):
                await self._step(half.discard)

    def _path(self, key: MediaKey) -> Path:
        return self._root / media_key(key)

    async def _step(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do one thing in a thread."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(STEP_S):
                return await loop.run_in_executor(self._threads, partial(work, *args, **kwargs))
        except TimeoutError:
            raise RetryLater("the media folder does not answer") from None
        except OSError as error:
            log.warning("media folder cannot be used", error=errorcode.get(error.errno or 0, "unknown"))
            raise RetryLater("the media folder cannot be used") from None


class _HalfFile:
    """A file on its way, written by one thread at a time: whoever was cancelled may still be writing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._digest = hashlib.sha256()
        self._fd = -1

    @property
    def sha256(self) -> str:
        """Of what was written."""
        return self._digest.hexdigest()

    def open(self) -> None:
        """Make it, for nobody else to read."""
        with self._lock:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

    def write(self, content: bytes) -> None:
        """Write all of it."""
        with self._lock:
            self._digest.update(content)
            left = memoryview(content)
            while left and self._fd >= 0:
                left = left[os.write(self._fd, left) :]

    def become(self, whole: Path) -> None:
        """Let it have its name, when it is on the disk."""
        with self._lock:
            os.fsync(self._fd)
            for tried in range(_TRIES):
                whole.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                try:
                    self._path.replace(whole)
                    break
                except FileNotFoundError:
                    if tried == _TRIES - 1:
                        raise
            _flush_names(whole.parent)

    def discard(self) -> None:
        """Remove it, unless it has its name by now."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1
            self._path.unlink(missing_ok=True)


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _try_out(root: Path) -> None:
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    half = _HalfFile(root / INCOMING / f"{uuid.uuid4()}.part")
    half.open()
    half.discard()


def _flush_names(folder: Path) -> None:
    """Let a rename survive the machine's fall."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _unlink(path: Path, root: Path) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        path.unlink()
    for folder in path.parents:
        if folder == root:
            break
        try:
            folder.rmdir()
        except FileNotFoundError:
            continue
        except OSError:  # it is not empty
            break


def _sweep(folder: Path, older_than_s: float) -> int:
    before, swept = time.time() - older_than_s, 0
    for half in folder.glob("*.part"):
        with suppress(FileNotFoundError):
            if half.stat().st_mtime < before:
                half.unlink()
                swept += 1
    return swept
