"""Not a byte of what the router tells and stores differs from when the digests were written.

Where a change of behaviour is meant, say so in its commit and write them anew:
`.venv/bin/python -m services.router.tests.golden.test_records`.
"""

import asyncio
from pathlib import Path

import pytest

from services.router.tests.golden.play import play, read_policies

GOLDEN = Path(__file__).parents[1] / "payloads" / "golden" / "digests.txt"
COUNT = 300
CHUNK = 50


def digests(first: int, count: int) -> list[str]:
    policies = read_policies()

    async def played() -> list[str]:
        return [f"{seed} {(await play(seed, policies)).digest()}" for seed in range(first, first + count)]

    return asyncio.run(played())


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_history_tells_and_stores_the_same_bytes(first: int) -> None:
    written = GOLDEN.read_text(encoding="utf-8").splitlines()[first : first + CHUNK]
    assert digests(first, CHUNK) == written


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(digests(0, COUNT)) + "\n", encoding="utf-8")
