"""`python -m garbo.analytics`."""

import sys

from garbo.analytics.app import build
from garbo.analytics.settings import AnalyticsSettings
from garbo.common.runtime.lifecycle import run
from garbo.common.runtime.settings import load


def main() -> int:
    """Run the service until it is told to stop; returns the exit code."""
    return run(lambda: build(load(AnalyticsSettings)))


if __name__ == "__main__":
    sys.exit(main())
