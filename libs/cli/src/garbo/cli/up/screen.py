"""What a person sees: prefixed lines, progress, and one table."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table

COLOURS = {
    "kafka": 35,
    "postgres": 34,
    "ingest": 36,
    "router": 32,
    "sender": 33,
    "analytics": 96,
    "simulator": 95,
    "business": 92,
}
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\.\d+Z")
_REPEATED = re.compile(r" (service=\S+|trace_id=\S+)")
WIDTH = max(len(name) for name in COLOURS)
_BOLD, _DIM, _RED = 1, 2, 31


def wants_colour(stream: TextIO, env: Mapping[str, str]) -> bool:
    """Say whether to colour: on a terminal or with FORCE_COLOR, never with NO_COLOR."""
    if env.get("NO_COLOR"):
        return False
    return bool(env.get("FORCE_COLOR")) or stream.isatty()


class Screen:
    """Writes whole lines to one stream."""

    def __init__(self, stream: TextIO | None = None, env: Mapping[str, str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._colour = wants_colour(self._stream, os.environ if env is None else env)

    def line(self, name: str, text: str) -> None:
        """Write a line of a process, behind its name; what every line repeats is left out."""
        short = _REPEATED.sub("", _INSTANT.sub(r"\1", text))
        self._write(f"{self._paint(f'{name:<{WIDTH}} |', COLOURS.get(name, 37))} {short}")

    def progress(self, text: str) -> None:
        """Say what is being done."""
        self._write(f"{self._paint('garbo', _BOLD)}{' ' * (WIDTH - 5)} {self._paint('·', _DIM)} {text}")

    def alarm(self, text: str) -> None:
        """Say what went wrong, and what to type."""
        self._write(self._paint(f"garbo{' ' * (WIDTH - 5)} ! {text}", _RED))

    def table(self, title: str, rows: Sequence[tuple[str, str, str]], hints: Sequence[str]) -> None:
        """Print the one table: what runs, where, what it is for; then what to do next."""
        grid = Table(title=title, title_justify="left", title_style="bold", show_header=False, pad_edge=True)
        grid.add_column(style="cyan", no_wrap=True)
        grid.add_column(style="bold", no_wrap=True)
        grid.add_column(style="dim")
        for row in rows:
            grid.add_row(*row)
        console = Console(
            file=self._stream, force_terminal=self._colour, no_color=not self._colour, width=100
        )
        console.print()
        console.print(grid)
        for number, hint in enumerate(hints):
            self._write(f" {'next:' if number == 0 else '     '} {hint}")
        self._write("")

    def _paint(self, text: str, code: int) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def _write(self, text: str) -> None:
        self._stream.write(text + "\n")
        self._stream.flush()
