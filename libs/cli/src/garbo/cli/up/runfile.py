"""Who runs here: a lock that dies with its holder, and a file that says how to reach the supervisor."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TextIO

import psutil  # type: ignore[import-untyped]  # it ships no types

from garbo.cli.typed import garbo
from garbo.common.errors import StartRefused

LEFTOVER_STOP_S = 10.0


@dataclass(slots=True)
class Run:
    """One `garbo up`: its process, its control port, and the processes it started: name, id, start time.

    `business` and `platform` are the file it was started with, and what stands for WhatsApp.
    """

    pid: int
    control_port: int = 0
    token: str = ""
    children: dict[str, tuple[int, float]] = field(default_factory=dict)
    business: str = ""
    platform: str = ""


class RunFile:
    """The folder `run` of the data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "run"
        self._file = self._folder / "run.json"
        self._lock = self._folder / "lock"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock; on return nothing of it is left. Raises StartRefused when another holds it."""
        with self._opened() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                run = self.read()
                process = f" as process {run.pid}" if run else ""
                beside = "set GARBO_DATA and GARBO_PORT_OFFSET=1000 for a second one beside it"
                mend = f"type {garbo('stop')}, or {beside}"
                raise StartRefused(f"Garbo already runs from this folder{process}: {mend}") from None
            try:
                yield
            finally:
                self._file.unlink(missing_ok=True)
                self._lock.unlink(missing_ok=True)

    def _opened(self) -> TextIO:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return self._lock.open("w")
        except OSError as refused:
            beside = "run as the user it belongs to, or set GARBO_DATA to a folder of yours"
            raise StartRefused(f"cannot write into {self._folder} ({refused.strerror}): {beside}") from None

    def running(self) -> bool:
        """Say whether a supervisor holds the lock now."""
        try:
            with self._lock.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def read(self) -> Run | None:
        """Return what the last supervisor wrote, or None."""
        try:
            return Run(**json.loads(self._file.read_text()))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def write(self, run: Run) -> None:
        """Replace the file in one step; readable by us alone, it holds the control token."""
        fresh = self._file.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(run)))
        os.replace(fresh, self._file)  # noqa: PTH105 - atomic

    def stop_leftovers(self) -> int:
        """Stop what a killed supervisor left running; returns how many. Call it holding the lock."""
        run = self.read()
        left = list(_alive(run.children if run else {}))
        for process in left:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        _, stubborn = psutil.wait_procs(left, timeout=LEFTOVER_STOP_S)
        for process in stubborn:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(stubborn, timeout=LEFTOVER_STOP_S)
        return len(left)


def started_at(pid: int) -> float:
    """Return when a process started: with its id, that names it beyond doubt."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return 0.0


def kill_children() -> None:
    """End what a dropped start may have left: Maven, initdb, Kafka's format tool."""
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            child.kill()


def _alive(children: dict[str, tuple[int, float]]) -> Iterator[psutil.Process]:
    for pid, started in children.values():
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            if abs(process.create_time() - started) < 1:
                yield process
