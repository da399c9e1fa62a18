"""One supervised process: its lines go to the screen, its end is seen."""

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress

from garbo.cli.local.command import Command
from garbo.common.errors import StartRefused

CHUNK_BYTES = 64 * 1024
LONGEST_LINE = 4_000
"""Characters of one line that are shown."""


class Process:
    """A program that can be started, stopped and started again."""

    def __init__(
        self, name: str, command: Command, *, env: Mapping[str, str], say: Callable[[str, str], None]
    ) -> None:
        self.name = name
        self._asked_pid: int | None = None
        self._command = command
        self._env = env
        self._say = say
        self._child: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    @property
    def exit_code(self) -> int | None:
        """How it ended last; None while it runs or before it ever ran."""
        return self._child.returncode if self._child is not None else None

    async def spawn(self) -> None:
        """Start it in a session of its own, so that the terminal's Ctrl-C reaches only the supervisor."""
        self._child = await asyncio.create_subprocess_exec(
            *self._command.bound_to_us(),
            env={**self._env, **self._command.env},
            cwd=self._command.cwd,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )

    async def watch(self) -> tuple[int, bool]:
        """Show its lines until it ends.

        Returns the exit code (negative: the signal that killed it) and whether we had asked it to end.
        """
        child = self._child
        if child is None or child.stdout is None:
            raise StartRefused(f"{self.name} was not started")
        rest = b""
        while chunk := await child.stdout.read(CHUNK_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self._show(line)
        if rest:
            self._show(rest)
        code = await child.wait()
        return code, self._asked_pid == child.pid

    async def stop(self, *, within_s: float) -> bool:
        """Ask it to end and wait; kill it when time is up. Returns whether it ended by itself."""
        if self._child is None or self._child.returncode is not None:
            return True
        self._asked_pid = self._child.pid
        with suppress(ProcessLookupError):
            self._child.send_signal(self._command.stop_signal)
        try:
            async with asyncio.timeout(within_s):
                await self._child.wait()
        except TimeoutError:
            self.kill()
            await self._child.wait()
            return False
        return True

    def kill(self) -> None:
        """End it and its own children at once."""
        if self.pid is not None:
            self._asked_pid = self.pid
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def _show(self, line: bytes) -> None:
        text = line.decode(errors="replace").rstrip()
        if text:
            self._say(self.name, text[:LONGEST_LINE])


def how_it_ended(code: int) -> str:
    """Put an exit code into words."""
    if code >= 0:
        return f"exit code {code}"
    return f"exit code {128 - code} ({signal.Signals(-code).name})"
