"""`python -m garbo.sender`."""

import sys

from garbo.common.runtime.lifecycle import run
from garbo.sender.app import build

if __name__ == "__main__":
    sys.exit(run(build))
