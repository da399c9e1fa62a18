"""Any number of histories: `python -m services.router.tests.model.histories --count 100000 --processes 2`.

Prints the seeds it plays; a failing one is named, and played again alone with `--seed N --count 1`.
"""

import argparse
import asyncio
import time
import traceback
from concurrent.futures import ProcessPoolExecutor

from services.router.tests.model.play import play
from services.router.tests.model.rules_play import compare

CHUNK = 500


def play_some(first: int, count: int, steps: int) -> tuple[int, list[tuple[int, str]]]:
    """Play histories one after the other; give how many decisions were compared, and what failed."""

    async def all_of_them() -> tuple[int, list[tuple[int, str]]]:
        decisions, failed = 0, list[tuple[int, str]]()
        for seed in range(first, first + count):
            try:
                decisions += (await play(seed, steps=steps)).decided
            except Exception:  # noqa: BLE001 - whatever it is, the seed must be named
                failed.append((seed, traceback.format_exc(limit=-4)))
        return decisions, failed

    return asyncio.run(all_of_them())


def compare_some(first: int, count: int, _: int) -> tuple[int, list[tuple[int, str]]]:
    """Ask the rules and the oracle about as many people."""
    failed: list[tuple[int, str]] = []
    for seed in range(first, first + count):
        try:
            compare(seed)
        except Exception:  # noqa: BLE001 - as above
            failed.append((seed, traceback.format_exc(limit=-2)))
    return count, failed


def main() -> int:
    """Play, print, and end with 1 when a history failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--failures", type=int, default=5, help="how many to show")
    parser.add_argument("--rules", action="store_true", help="the rules alone: one person and question each")
    given = parser.parse_args()
    chunks = [
        (start, min(CHUNK, given.seed + given.count - start), given.steps)
        for start in range(given.seed, given.seed + given.count, CHUNK)
    ]
    began, decisions, failed = time.monotonic(), 0, list[tuple[int, str]]()
    with ProcessPoolExecutor(given.processes) as pool:
        for some, wrong in pool.map(compare_some if given.rules else play_some, *zip(*chunks, strict=True)):
            decisions += some
            failed += wrong
    took_s = time.monotonic() - began
    for seed, error in failed[: given.failures]:
        print(f"--- seed {seed}\n{error}")  # noqa: T201 - for people
    last = given.seed + given.count - 1
    print(  # noqa: T201 - for people
        f"{given.count} histories of {0 if given.rules else given.steps} steps, "
        f"seeds {given.seed} to {last}: "
        f"{decisions} decisions compared, {len(failed)} histories failed; "
        f"{took_s:.0f} s, {given.count / took_s:.0f} a second"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
