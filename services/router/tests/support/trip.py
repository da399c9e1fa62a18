"""The way of one record through the router's own files: what it enters, and how often it changes file.

`python -m services.router.tests.support.trip` prints it, and the size of the house beside it.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FrameType

from garbo.common.events.wire import encode
from garbo.router.domain.policy import Policy
from garbo.router.flow.events.handler import ReceivedEvent
from garbo.router.flow.request import ReceivedRequest
from garbo.router.inbound.policy_file.load import read_policy
from garbo.router.outbound.postgres.templates import seeds
from services.router.tests.support.build import business, consent, inbound, requested
from services.router.tests.support.memory_jobs import InMemoryBudgetLeases, InMemoryJobStore
from services.router.tests.support.router import Router

TESTS = Path(__file__).parents[1]
SOURCES = TESTS.parent / "src" / "garbo" / "router"
OWN = "/src/garbo/"
POLICIES = {
    "test policy, 5 rules": TESTS / "payloads" / "policy.yaml",
    "demo's policy": TESTS.parents[2] / "deploy" / "local" / "policy.yaml",
}


@dataclass
class Trip:
    """Which of our own functions were called, in order; lambdas and comprehensions left out."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    @property
    def files(self) -> set[str]:
        """The files it entered."""
        return {file for file, _ in self.calls}

    @property
    def router_files(self) -> set[str]:
        """Those of the router."""
        return {file for file in self.files if file.startswith("router/")}

    @property
    def file_changes(self) -> int:
        """How often the next function was of another file than the one before."""
        return len(list(groupby(self.calls, key=lambda call: call[0])))

    def note(self, frame: FrameType, event: str, _: object) -> None:
        """Note a call: a profile function."""
        code = frame.f_code
        if event == "call" and OWN in code.co_filename and not code.co_name.startswith("<"):
            self.calls.append((code.co_filename.split(OWN)[1], code.co_name))


async def promo_trip(policy: Policy) -> Trip:
    """Follow one promo of a contact who has opted in, from the decided batch to its records."""
    router = await _router(policy)
    requests, event = router.requests, requested(campaign="c1")
    request = ReceivedRequest(event, value=encode(event))
    return await _traced(lambda: requests.decide([request]))


async def stop_trip(policy: Policy) -> Trip:
    """Follow a STOP of a contact with a promo nobody has claimed."""
    router = await _router(policy)
    await router.ask(requested(campaign="c1"))
    events, event = router.events, ReceivedEvent(inbound("STOP"))
    return await _traced(lambda: events.take([event]))


async def _router(policy: Policy) -> Router:
    store = InMemoryJobStore()
    store.know(seeds(business()))
    router = Router(store, policy, budget_leases=InMemoryBudgetLeases(store))
    await router.hear(consent(), consent("confirmed"))
    return router


async def _traced(work: Callable[[], Awaitable[None]]) -> Trip:
    trip = Trip()
    sys.setprofile(trip.note)
    try:
        await work()
    finally:
        sys.setprofile(None)
    return trip


def policy_of(path: Path) -> Policy:
    """Read a policy to follow records under."""
    return read_policy(path.read_bytes())


def room_sizes() -> Iterator[tuple[str, int, int]]:
    """Give each room's modules that are not empty, and their lines."""
    rooms = sorted({path.relative_to(SOURCES).parts[0] for path in SOURCES.rglob("*.py")})
    for room in rooms:
        files = [SOURCES / room] if room.endswith(".py") else [*(SOURCES / room).rglob("*.py")]
        lines = [len(path.read_text(encoding="utf-8").splitlines()) for path in files]
        yield room, sum(count > 0 for count in lines), sum(lines)


def main() -> None:
    """Print it."""
    total_files = total_lines = 0
    for room, files, lines in room_sizes():
        total_files, total_lines = total_files + files, total_lines + lines
        print(f"{room:16} {files:4} files {lines:6} lines")  # noqa: T201 - for people
    print(f"{'router':16} {total_files:4} files {total_lines:6} lines")  # noqa: T201 - for people
    for name, policy in POLICIES.items():
        for what, follow in (("promo", promo_trip), ("STOP", stop_trip)):
            trip = asyncio.run(follow(policy_of(policy)))
            print(  # noqa: T201 - for people
                f"{what}, {name}: {len(trip.calls)} calls, {len(set(trip.calls))} functions, "
                f"{len(trip.files)} files ({len(trip.router_files)} of the router), "
                f"{trip.file_changes} file changes"
            )


if __name__ == "__main__":
    main()
