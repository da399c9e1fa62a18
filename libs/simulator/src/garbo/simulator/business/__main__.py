"""`python -m garbo.simulator.business`: the demo business as one process."""

import sys

from garbo.common.runtime.lifecycle import run
from garbo.common.runtime.settings import load
from garbo.simulator.business.app import build
from garbo.simulator.settings import SimulatorSettings

if __name__ == "__main__":
    sys.exit(run(lambda: build(load(SimulatorSettings))))
