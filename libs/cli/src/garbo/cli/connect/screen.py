"""The checks on a terminal: one line each, the mend below what needs one."""

from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.text import Text

from garbo.cli.connect.finding import Found, State
from garbo.cli.dlq.summary import plain

_MARKS: Final[dict[State, tuple[str, str]]] = {
    "ok": ("✓", "green"),
    "note": ("!", "yellow"),
    "wrong": ("✗", "bold red"),
    "skipped": ("–", "dim"),
}
_WIDTH: Final = 10


def show(found: Sequence[Found], *, title: str, console: Console | None = None) -> None:
    """Print the checks of one number."""
    on = console or Console(highlight=False, soft_wrap=True)
    on.print(title, style="bold", markup=False)
    for one in found:
        mark = Text(*_MARKS[one.state])
        on.print(
            mark, f"{one.name:<{_WIDTH}}", Text(plain(one.seen), "dim" if one.state == "skipped" else "")
        )
        if one.mend:
            on.print(Text(f"{'':<{_WIDTH + 2}} → {one.mend}", "yellow"))
    on.print(verdict(found), style="bold", markup=False)


def verdict(found: Sequence[Found]) -> str:
    """Say in one line how it stands."""
    counts = {state: sum(one.state == state for one in found) for state in _MARKS}
    if counts["wrong"]:
        return f"not ready: {counts['wrong']} of {len(found)} need mending"
    more = [f"{counts['note']} to know"] if counts["note"] else []
    more += [f"{counts['skipped']} not looked at"] if counts["skipped"] else []
    return f"ready{': ' + ', '.join(more) if more else ''}"
