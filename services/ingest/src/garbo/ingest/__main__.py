"""`python -m garbo.ingest`."""

import sys

from garbo.common.runtime.lifecycle import run
from garbo.ingest.app import build

if __name__ == "__main__":
    sys.exit(run(build))
