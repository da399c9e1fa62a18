"""`python -m tests.chaos --requests 200000 --kills 40`: the chaos run in any size, on servers of its own."""

import argparse
import asyncio

from tests.chaos.installation import installed
from tests.chaos.run import LIMIT, Found, Size, chaos
from tests.support.own_servers import both_servers
from tests.support.servers import SharedKafka, SharedPostgres


def main() -> int:
    """Run it, print what was found, end with 1 when an invariant is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--routers", type=int, default=4)
    parser.add_argument("--kills", type=int, default=1_000, help="at most so many")
    parser.add_argument("--kill-every", type=float, default=5.0, help="seconds")
    parser.add_argument("--within", type=float, default=1800.0, help="seconds")
    parser.add_argument("--naive", action="store_true", help="without row locks: must be caught")
    given = parser.parse_args()
    size = Size(
        given.people,
        given.requests,
        given.routers,
        given.kills,
        given.kill_every,
        given.within,
        lasting_names=True,
    )
    module = "tests.chaos.naive_router" if given.naive else "garbo.router"
    with both_servers() as (kafka, postgres, folder):
        servers = SharedKafka(kafka.bootstrap_servers), SharedPostgres(postgres.dsn())
        with installed(*servers, folder) as installation:
            found = asyncio.run(chaos(installation, size, module=module))
    show(size, found)
    return 1 if found.excesses or found.deadlocks or found.dead_letters or found.faults else 0


def show(size: Size, found: Found) -> None:
    """Print the figures."""
    for fault in found.faults[:10]:
        print(fault)  # noqa: T201 - for people
    print(  # noqa: T201 - for people
        f"{size.requests} requests for {size.people} people by {size.routers} routers, {found.kills} killed: "
        f"decided in {found.took_s:.0f} s ({size.requests / found.took_s:.0f}/s), {found.accepted} accepted; "
        f"windows over {LIMIT}: {len(found.excesses)} (of {found.people_over_cap} people), "
        f"deadlocks {found.deadlocks}, dead letters {found.dead_letters}, other faults {len(found.faults)}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
