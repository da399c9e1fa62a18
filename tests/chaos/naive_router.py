"""The negative control: the router as it would be written without row locks. It must be caught.

Everything is the real router's, but for one thing: it reads the states, decides and writes, and nothing keeps
another process from doing the same in between.
"""

import sys

from garbo.common.runtime.lifecycle import run
from garbo.router.app import build
from garbo.router.outbound.postgres import load

if __name__ == "__main__":
    load.LOCK_STATES = load.READ_STATES  # type: ignore[misc] # the mistake itself
    sys.exit(run(build))
