"""A server as a child process: it ends when we end, and it ends when it is told to."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import monotonic, sleep

from garbo.common.errors import StartRefused

POLL_S = 0.03


@dataclass(frozen=True, slots=True)
class Command:
    """What to start, and how it likes to be stopped."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""
    stop_signal: signal.Signals = signal.SIGTERM
    cwd: Path | None = None

    def bound_to_us(self) -> tuple[str, ...]:
        """Return the arguments that let Linux end the child when its parent dies, even by kill -9."""
        setpriv = _setpriv()
        if setpriv is None:
            return self.argv
        name = self.stop_signal.name.removeprefix("SIG")
        return (setpriv, "--pdeathsig", name, "--", *self.argv)


@cache
def _setpriv() -> str | None:
    found = shutil.which("setpriv") if sys.platform == "linux" else None
    if found is None:
        return None
    text = subprocess.run([found, "--help"], capture_output=True, text=True, timeout=10, check=False).stdout
    return found if "--pdeathsig" in text else None


def setpriv() -> str | None:
    """Return util-linux' setpriv where it knows a parent-death signal, else None."""
    return _setpriv()


class Child:
    """One server process with its output in a file. Not for the supervisor: that one reads pipes."""

    def __init__(self, name: str, command: Command, log: Path) -> None:
        self.name = name
        self._command = command
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        if self._process is None or self._process.poll() is not None:
            return None
        return self._process.pid

    def start(self, ready: Callable[[int], bool], *, within_s: float) -> None:
        """Start it and return when `ready(pid)` says so; raises StartRefused when it does not come up."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command.bound_to_us(),
                env={**os.environ, **self._command.env},
                cwd=self._command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = monotonic() + within_s
        while not ready(self._process.pid):
            code = self._process.poll()
            if code is not None:
                raise StartRefused(f"{self.name} ended with exit code {code} while starting: {self._tail()}")
            if monotonic() > deadline:
                self.kill()
                raise StartRefused(f"{self.name} was not ready within {within_s:.0f} s: {self._tail()}")
            sleep(POLL_S)

    def stop(self, *, within_s: float = 10) -> None:
        """Ask it to end, wait, and kill it when it does not. Does nothing when it has ended."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(self._command.stop_signal)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and all its own children at once, as `kill -9` does."""
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) + f" (all of it: {self._log})"
