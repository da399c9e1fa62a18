"""`garbo up`, `garbo stop` and `garbo restart`: from a plan to an exit code."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

from garbo.cli.typed import garbo, shown
from garbo.cli.up.control import ControlRequest, control_lines
from garbo.cli.up.live import live_plan
from garbo.cli.up.plan import Plan, read_plan
from garbo.cli.up.prerequisites import check_ports, check_tools, check_user
from garbo.cli.up.runfile import RunFile
from garbo.cli.up.screen import Screen
from garbo.cli.up.supervisor import Supervisor
from garbo.cli.up.terminal import own_terminal
from garbo.common.errors import StartRefused

STOP_WITHIN_S = 25.0


def up(*, services: bool, demo: bool, live: Path | None = None) -> None:
    """Start everything, stay until Ctrl-C or SIGTERM, stop everything. Raises StartRefused with one line.

    `live` is the business file of an installation for real people: without the simulator.
    """
    began = monotonic()
    plan, screen = read_plan(os.environ), Screen()
    if live is not None:
        plan = live_plan(plan, os.environ, live)
    runfile = RunFile(plan.data)
    check_user(plan)
    with runfile.held(), own_terminal(os.environ):
        left = runfile.stop_leftovers()
        if left:
            screen.progress(f"stopped {left} processes that a killed run had left here")
        check_ports(plan, services=services)
        check_tools(plan)
        supervisor = Supervisor(plan, screen=screen, runfile=runfile, services=services, demo=demo)

        def ready() -> None:
            rows = rows_of(plan, services=services)
            told = hints(services=services) if plan.platform is None else live_hints(plan)
            screen.table(f"Garbo is up ({monotonic() - began:.0f} s)", rows, told)

        asyncio.run(_live(supervisor, ready))


async def _live(supervisor: Supervisor, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, supervisor.stop)
    await supervisor.run(ready)


def stop() -> str:
    """Stop what runs from this data folder, also what a killed supervisor left; returns what was done."""
    runfile = RunFile(read_plan(os.environ).data)
    if not runfile.running():
        if not runfile.read():
            return "nothing runs from this folder"
        with runfile.held():
            return f"stopped {runfile.stop_leftovers()} processes that a killed run had left"
    asyncio.run(send_control(runfile, ControlRequest("stop")))
    deadline = monotonic() + STOP_WITHIN_S
    while runfile.running():
        if monotonic() > deadline:
            run = runfile.read()
            raise StartRefused(
                f"still stopping after {STOP_WITHIN_S:.0f} s: type kill {run.pid if run else ''}"
            )
        sleep(0.1)
    return "stopped"


def restart(name: str) -> None:
    """Ask the running supervisor to start a process again; raises StartRefused when it cannot."""
    lines = asyncio.run(send_control(RunFile(read_plan(os.environ).data), ControlRequest("restart", name)))
    refused = next((line for line in lines if line.startswith("error: ")), None)
    if refused:
        raise StartRefused(refused.removeprefix("error: "))


async def send_control(runfile: RunFile, request: ControlRequest) -> list[str]:
    """Ask the running supervisor, print what it says, return its lines."""
    lines: list[str] = []
    async for line in control_lines(runfile, request):
        lines.append(line)
        if not line.startswith("error: "):
            print(line, flush=True)  # noqa: T201 - a command talks to its terminal
    return lines


def rows_of(plan: Plan, *, services: bool) -> list[tuple[str, str, str]]:
    """Return the rows of the table: what, where, what for."""
    rows: list[tuple[str, str, str]] = []
    if services:
        rows += [
            ("console", plan.url("analytics"), "watch it happen, with reasons"),
            ("ingest", plan.url("ingest"), "webhooks, and POST /v1/messages"),
            ("router", plan.url("router"), "decisions: may I, and when?"),
            ("sender", plan.url("sender"), "the way out to WhatsApp"),
            ("platform", plan.platform, "WhatsApp: what is sent reaches people")
            if plan.platform
            else ("simulator", plan.url("simulator"), "Meta and its customers"),
        ]
    password = shown(plan.data / "postgres" / "password")
    return [
        *rows,
        ("Kafka", plan.bootstrap_servers, "bootstrap server"),
        (
            "PostgreSQL",
            f"postgresql://garbo@127.0.0.1:{plan.ports.postgres}/garbo",
            f"password in {password}",
        ),
    ]


def live_hints(plan: Plan) -> list[str]:
    """Return what to do next where real people are reached."""
    verify_token = shown(plan.data / "secrets" / "whatsapp_verify_token")
    told = {
        f"{plan.url('ingest')}/webhooks/whatsapp": "let the platform reach it, and set it there as callback",
        verify_token: "holds the verify token, unless you set one",
        garbo("doctor", "--live"): "checks every number, says the mend",
        garbo("templates", "list"): "what the platform shows of your templates",
        "Ctrl-C": "stops all of it",
    }
    width = max(map(len, told))
    return [f"{line:<{width}}  {does}" for line, does in told.items()]


def hints(*, services: bool) -> list[str]:
    """Return what to type next."""
    if not services:
        return [garbo("doctor"), "Ctrl-C stops all of it"]
    told = {
        garbo("tail"): "decisions and statuses as they happen",
        garbo("doctor"): "checks everything, says the mend",
        "Ctrl-C": "stops all of it",
    }
    width = max(map(len, told))
    return [
        garbo("send", '--to +393331234567 --text "Ciao" --purpose care'),
        *(f"{line:<{width}}  {does}" for line, does in told.items()),
    ]
