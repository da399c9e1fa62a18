"""Where people start from, and what must be seen there."""

import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic, sleep

from tests.fresh.container import Container, Started

LIVE_S = 900.0
STOP_S = 40.0
POLL_S = 0.5
FUNNEL = "http://127.0.0.1:8081/v1/funnel?since=15m"
PROBE = f"""import json, urllib.request
print(json.load(urllib.request.urlopen({FUNNEL!r}, timeout=5))["steps"]["accepted"])"""
HALF_MADE = "rm -rf .venv/.ready .venv/lib/python3*/site-packages/pip"


@dataclass(frozen=True, slots=True)
class Start:
    """One way to begin."""

    name: str
    folder: str
    """Where the clone lies, from the user's home."""
    before: str = "true"
    """What root types first."""
    user: str = "root"
    umask: str = "022"


STARTS = (
    Start("root in its home, of mode 0700", "garbo", before="chmod 700 ."),
    Start("a plain user", "garbo", before="useradd --create-home anna", user="anna"),
    Start(
        "a folder of mode 0700, umask 077", "/srv/mine/garbo", before="mkdir -m 700 /srv/mine", umask="077"
    ),
    Start("a path with a space, an accent and a quote, no locale", "/srv/l'età è bella/garbo"),
)


class FailedStartError(Exception):
    """A start that did not come up, with its last lines."""


def walk(start: Start, container: Container) -> Iterator[str]:
    """Go from nothing to live traffic; yields what was seen. Raises FailedStartError."""
    container.run(f"{start.before}; chown -R {start.user} /garbo.git")  # git mistrusts what others own
    began = monotonic()
    folder = shlex.quote(start.folder)
    _typed(container, f"umask {start.umask}; git clone --quiet file:///garbo.git {folder}", start)
    if start.user != "root":
        yield from _type_what_is_named(start, container)
        began = monotonic()
    yield from _live(start, container, began)
    _typed(container, f"cd {folder} && {HALF_MADE}", start)
    yield "now with a half made .venv, started again:"
    yield from _live(start, container, monotonic())


def _type_what_is_named(start: Start, container: Container) -> Iterator[str]:
    """A user who may install nothing gets one line; root types what it says."""
    refused = _make_run(start, container)
    code = refused.wait(LIVE_S)
    lines = [line for line in refused.said() if not line.startswith("make: ***")]
    if code == 0 or len(lines) != 1 or ": type sudo " not in lines[0]:
        raise FailedStartError(f"expected one line of what to type, exit code {code}: {lines}")
    yield lines[0]
    typed = lines[0].partition(": type ")[2].replace("sudo ", "")
    container.run(f"yes | (export DEBIAN_FRONTEND=noninteractive; {typed}\n)")


def _live(start: Start, container: Container, began: float) -> Iterator[str]:
    running = _make_run(start, container)
    while (accepted := _accepted(start, container)) == 0:
        if running.exit_code is not None or monotonic() - began > LIVE_S:
            raise FailedStartError("\n".join(("no live traffic", *running.said()[-30:])))
        sleep(POLL_S)
    yield f"live after {monotonic() - began:.0f} s: {accepted} messages accepted"
    _typed(container, f"cd {shlex.quote(start.folder)} && make stop", start)
    if code := running.wait(STOP_S):
        raise FailedStartError(f"ended with exit code {code} when it was stopped")


def _make_run(start: Start, container: Container) -> Started:
    line = f"umask {start.umask}; cd {shlex.quote(start.folder)} && exec make run"
    return container.start(line, user=start.user)


def _accepted(start: Start, container: Container) -> int:
    probe = f"cd {shlex.quote(start.folder)} && .venv/bin/python -c {shlex.quote(PROBE)}"
    try:
        return int(container.run(probe, user=start.user, within_s=30))
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return 0


def _typed(container: Container, line: str, start: Start) -> None:
    try:
        container.run(line, user=start.user)
    except subprocess.CalledProcessError as wrong:
        raise FailedStartError(f"{line}: {wrong.stderr.strip()}") from None
