"""A policy file is read into the policy it was read into when the digests were written.

Where a change of behaviour is meant, say so in its commit and write them anew:
`.venv/bin/python -m services.router.tests.golden.test_policies`.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from garbo.router.inbound.policy_file.document import PolicyError
from garbo.router.inbound.policy_file.load import PolicyRefused, read_policy_file
from services.router.tests.golden.policy_files import digest, policy, policy_test, varied, written_by_hand

GOLDEN = Path(__file__).parents[1] / "payloads" / "golden" / "policy_digests.txt"
EDITS = 400
TWICE = "to be written a second time"


def digests() -> Iterator[str]:
    return (f"{digest(content)} {name}" for name, content in (*written_by_hand(), *varied()))


def test_policy_files_are_read_as_they_were() -> None:
    assert list(digests()) == GOLDEN.read_text(encoding="utf-8").splitlines()


def mappings(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from mappings(item)


def whole_file(dice: Random) -> dict[str, Any]:
    return {**policy(dice), "tests": [policy_test(dice, 0)]}


def edited(seed: int) -> str:
    """Give a file with a value of a wrong type, a field nobody knows, a null, or a key that stands twice."""
    dice = Random(seed)
    content = whole_file(dice)
    place = dice.choice([mapping for mapping in mappings(content) if mapping])
    key = dice.choice(list(place))
    match dice.choice(("type", "unknown", "null", "twice")):
        case "type":
            place[key] = 1.5
        case "unknown":
            place["colour"] = place[key]
        case "null" if key not in ("rule", "next_allowed_at"):
            place[key] = None
        case _:
            place[TWICE] = place[key]
    return json.dumps(content, indent=1).replace(TWICE, key)


def errors_of(text: str) -> tuple[PolicyError, ...]:
    try:
        read_policy_file(text.encode())
    except PolicyRefused as refused:
        return refused.errors
    return ()


@pytest.mark.parametrize("first", range(0, EDITS, 100))
def test_a_file_with_a_broken_edit_is_refused_by_line(first: int) -> None:
    for seed in range(first, first + 100):
        errors = errors_of(edited(seed))
        assert errors, edited(seed)
        assert all(error.line for error in errors), edited(seed)


def test_a_file_with_a_field_less_is_read_or_refused_by_line() -> None:
    for seed in range(EDITS):
        dice = Random(seed)
        content = whole_file(dice)
        place = dice.choice([mapping for mapping in mappings(content) if mapping])
        del place[dice.choice(list(place))]
        assert all(error.line for error in errors_of(json.dumps(content, indent=1))), content


if __name__ == "__main__":
    GOLDEN.write_text("\n".join(digests()) + "\n", encoding="utf-8")
