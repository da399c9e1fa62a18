"""What starts a server as a child process, so that it ends when we end and when it is told to."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


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
        program = setpriv()
        if program is None:
            return self.argv
        name = self.stop_signal.name.removeprefix("SIG")
        return (program, "--pdeathsig", name, "--", *self.argv)


@cache
def setpriv() -> str | None:
    """Return util-linux' setpriv where it knows a parent-death signal, else None."""
    found = shutil.which("setpriv") if sys.platform == "linux" else None
    if found is None:
        return None
    text = subprocess.run([found, "--help"], capture_output=True, text=True, timeout=10, check=False).stdout
    return found if "--pdeathsig" in text else None
