"""`make fresh`: from `git clone` of this checkout's HEAD to live traffic, in bare containers.

They have git and make alone. Needs a Docker engine and package registries: no part of `make test`.
GARBO_FRESH_IMAGE names another image of the Debian family than debian:trixie-slim.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fresh.container import Container, engine_answers
from tests.fresh.starts import STARTS, FailedStartError, Start, walk

ROOT = Path(__file__).parents[2]
IMAGE = os.environ.get("GARBO_FRESH_IMAGE", "debian:trixie-slim")


def main() -> int:
    """Walk through all starts, print each one's seconds; the exit code is 0 when all came up."""
    if not engine_answers():
        _say(
            "make fresh starts bare containers, but no Docker engine answers here: start one, then try again"
        )
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no container stays
    with tempfile.TemporaryDirectory(prefix="garbo-fresh-") as folder:
        repository = Path(folder) / "garbo.git"
        clone = ("git", "clone", "--quiet", "--bare", "--depth", "1", ROOT.as_uri(), str(repository))
        subprocess.run(clone, check=True, timeout=60)
        up = [_came_up(start, repository) for start in STARTS]
    _say(f"{sum(up)} of {len(up)} starts came up from nothing")
    return 0 if all(up) else 1


def _came_up(start: Start, repository: Path) -> bool:
    _say(f"{start.name}:")
    try:
        with Container(IMAGE, repository) as container:
            for line in walk(start, container):
                _say(f"    {line}")
    except FailedStartError as wrong:
        _say(f"    FAILED: {wrong}")
        return False
    return True


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a command talks to its terminal


if __name__ == "__main__":
    sys.exit(main())
