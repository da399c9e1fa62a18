"""`python -m garbo.router`."""

import sys

from garbo.common.runtime.lifecycle import run
from garbo.router.app import build

if __name__ == "__main__":
    sys.exit(run(build))
