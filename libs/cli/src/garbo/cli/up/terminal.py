"""The terminal under `make`: Ctrl-C must reach `garbo up` and not make, or make ends with an error."""

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager


@contextmanager
def own_terminal(env: Mapping[str, str]) -> Iterator[None]:
    """Take the terminal's foreground while inside, where make started us; elsewhere do nothing.

    make gets the same SIGINT as its child and then ends with 130, whatever the child's exit code.
    """
    if "MAKELEVEL" not in env or not _in_foreground():
        yield
        return
    terminal, before = sys.stdin.fileno(), os.getpgrp()
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    os.setpgid(0, 0)
    os.tcsetpgrp(terminal, os.getpgrp())
    try:
        yield
    finally:
        os.tcsetpgrp(terminal, before)


def _in_foreground() -> bool:
    try:
        return sys.stdin.isatty() and os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
