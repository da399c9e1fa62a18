"""Playing a history nobody judges."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from random import Random
from typing import Final
from uuid import UUID

import pytest

from garbo.router.domain.policy import Policy
from garbo.router.inbound.policy_file.load import read_policy
from services.router.tests.golden.actions import CHANCES, PEOPLE, recorded_consent
from services.router.tests.golden.wild import Wild
from services.router.tests.support import memory_contacts
from services.router.tests.support.build import (
    business,
)

POLICIES: Final = Path(__file__).parents[1] / "payloads" / "golden"
STEPS: Final = 60


async def play(seed: int, policies: Sequence[Policy]) -> Wild:
    """Play one history."""
    dice = Random(seed)
    names = count(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(memory_contacts, "uuid4", lambda: UUID(int=(2 << 100) + next(names)))
        wild = Wild([*dice.sample(policies, len(policies))], business())
        for person in dice.sample(PEOPLE, 4):
            for brand in ("acme", "bolt"):
                await wild.hear(recorded_consent(wild, person, brand, "given"))
                await wild.hear(recorded_consent(wild, person, brand, "confirmed"))
        actions, weights = tuple(CHANCES), tuple(CHANCES.values())
        for _ in range(STEPS):
            (action,) = dice.choices(actions, weights)
            await action(wild, dice)
    return wild


def read_policies() -> list[Policy]:
    """Read the policies histories are played under."""
    return [read_policy(path.read_bytes()) for path in sorted(POLICIES.glob("*.yaml"))]
