"""`garbo policy simulate`: another policy over what was really asked, and what it changes."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from garbo.cli.service_api import ServiceApi
from garbo.cli.spans import instant_of, span_of
from garbo.common.errors import StartRefused


def body_of(file: Path, *, since: str, until: str | None, warm_up: str | None, brand: str | None) -> Any:  # noqa: ANN401 - JSON
    """Write what the router is asked; raises StartRefused for a file or an option that cannot be read."""
    try:
        policy = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartRefused(f"{file} cannot be read: {type(error).__name__}") from None
    body: dict[str, Any] = {"policy": policy, "since": instant_of(since, "--since").isoformat()}
    if until:
        body["until"] = instant_of(until, "--until").isoformat()
    if warm_up:
        body["warm_up_s"] = int(span_of(warm_up, "--warm-up").total_seconds())
    return body | ({"brand": brand} if brand else {})


def simulate(router: ServiceApi, body: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Run it with a progress bar on stderr; gives the report. Raises StartRefused when there is none."""
    lines = router.lines("/v1/policies:simulate", body)
    report = _watched(lines)
    if report is None:
        raise StartRefused("the simulation ended without a report: the router's log says why")
    return report


def _watched(lines: Iterator[Any]) -> dict[str, Any] | None:
    columns = (
        TextColumn("replaying"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("requests"),
        TimeRemainingColumn(),
    )
    console = Console(file=sys.stderr)
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("", total=None)
        for line in lines:
            match line["kind"]:
                case "progress":
                    progress.update(bar, completed=line["done"], total=line["total"])
                case "report":
                    return {key: value for key, value in line.items() if key != "kind"}
                case "failed":
                    raise StartRefused(f"the simulation failed: {line['detail']}")
    return None
