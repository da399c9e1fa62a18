"""`garbo doctor`, from the checks to the exit code."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from rich.console import Console
from rich.table import Table
from rich.text import Text

from garbo.cli.doctor.finding import Finding
from garbo.cli.doctor.ledger import Row, ledger_rows, quiet, wake
from garbo.cli.doctor.machine import machine_findings
from garbo.cli.doctor.running import running_findings
from garbo.cli.up.command import send_control
from garbo.cli.up.control import ControlRequest
from garbo.cli.up.plan import read_plan
from garbo.cli.up.programs import BUSINESS
from garbo.cli.up.runfile import RunFile


def doctor() -> bool:
    """Check everything and print what was found; returns whether all is well."""
    found = machine_findings(os.environ)
    if _somewhere(os.environ):
        found += asyncio.run(running_findings(os.environ))
    else:
        found.append(Finding("running", right=False, seen="nothing runs from this clone", mend="make run"))
    _print(found)
    return all(finding.right for finding in found)


def doctor_ledger(*, settle_s: float, hush: bool) -> bool:
    """Compare the counts and print them; returns whether they agree. `hush`: traffic rests meanwhile."""
    return asyncio.run(_compare(settle_s=settle_s, hush=hush))


def _somewhere(env: Mapping[str, str]) -> bool:
    """Say whether something runs here, or the environment names where it runs."""
    named = any(name.startswith(("GARBO_URL_", "GARBO_KAFKA_BOOTSTRAP_SERVERS")) for name in env)
    return named or RunFile(read_plan(env).data).running()


async def _compare(*, settle_s: float, hush: bool) -> bool:
    if not hush:
        rows = await ledger_rows(os.environ, settle_s=settle_s)
    else:
        async with _resting():
            rows = await ledger_rows(os.environ, settle_s=settle_s)
    _print_rows(rows)
    return all(row.agrees for row in rows)


@asynccontextmanager
async def _resting() -> AsyncIterator[None]:
    """Let demo business and customers rest inside, and go on afterwards as before."""
    runfile = RunFile(read_plan(os.environ).data)
    halted = runfile.running() and not _refused(await send_control(runfile, ControlRequest("halt", BUSINESS)))
    try:
        awake = await quiet(os.environ)
        yield
        if awake:
            await wake(os.environ)
    finally:
        if halted:
            await send_control(runfile, ControlRequest("restart", BUSINESS))


def _refused(lines: Sequence[str]) -> bool:
    return any(line.startswith("error: ") for line in lines)


def _print(found: Sequence[Finding]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    width = max(len(finding.name) for finding in found)
    for finding in found:
        mark = Text("✓", "green") if finding.right else Text("✗", "bold red")
        console.print(mark, f"{finding.name:<{width}}", finding.seen, markup=False)
        if finding.mend:
            console.print(" " * (width + 2), "type:", finding.mend, style="yellow", markup=False)
    wrong = sum(not finding.right for finding in found)
    console.print("all is well" if not wrong else f"{wrong} of {len(found)} need mending", style="bold")


def _print_rows(rows: Sequence[Row]) -> None:
    table = Table(box=None, header_style="dim")
    for heading in ("", "Kafka", "simulator", "analytics", ""):
        table.add_column(heading, justify="left" if not heading else "right")
    for row in rows:
        counts = ("" if n is None else f"{n:,}" for n in (row.kafka, row.simulator, row.analytics))
        mark = Text("✓", "green") if row.agrees else Text("✗ differ", "bold red")
        table.add_row(row.what, *counts, mark)
    Console(highlight=False).print(table)
