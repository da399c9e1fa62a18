"""Where tests write: to memory, where there is enough of it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no types

MEMORY = Path("/dev/shm")
ENOUGH_BYTES = 6 * 1024**3
"""What a run takes is mostly far less; memory that is nearly full is no place for it."""
PREFIX = "garbo-test-"


def write_to_memory() -> None:
    """Let this process and its children have their temporary folders in memory, unless told where.

    A database, some 300 files, is copied in 20 ms there, and on a disk in up to 300.
    """
    if "TMPDIR" not in os.environ and _free_bytes() >= ENOUGH_BYTES:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


def _free_bytes() -> int:
    if not os.access(MEMORY, os.W_OK):
        return 0
    return min(shutil.disk_usage(MEMORY).free, int(psutil.virtual_memory().available))


@contextmanager
def home_of_a_server() -> Iterator[Path]:
    """Give a folder that other users may enter, for as long as the block runs."""
    home = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def remove_what_was_left() -> None:
    """Remove the folders of processes that were killed before they could do it themselves."""
    for home in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        owner = home.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(home, ignore_errors=True)
