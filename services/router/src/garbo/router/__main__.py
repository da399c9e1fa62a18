"""`python -m garbo.router`: the service; `python -m garbo.router simulate`: one simulation, then the end."""

import sys

from garbo.common.runtime.settings import load
from garbo.router.inbound.simulation import Sources, run_simulation
from garbo.router.outbound.postgres.past import PostgresPast
from garbo.router.settings import RouterSettings


def main(arguments: list[str]) -> int:
    """Run the one or the other; returns the exit code."""
    if arguments == ["simulate"]:
        return run_simulation(_sources)
    from garbo.common.runtime.lifecycle import run  # noqa: PLC0415 - a simulation needs neither Kafka
    from garbo.router.app import build  # noqa: PLC0415 - nor a server: a second and 34 MB less

    return run(build)


async def _sources() -> Sources:
    settings = load(RouterSettings)
    past = await PostgresPast.connect(settings.postgres_dsn.get_secret_value())
    return Sources(past, settings.policy)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
