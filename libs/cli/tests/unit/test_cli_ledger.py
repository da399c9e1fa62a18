"""What `garbo doctor --ledger` makes of a message's decisions."""

from uuid import UUID

import pytest

from garbo.cli.doctor.ledger import Decisions
from garbo.common.contracts.examples import examples
from garbo.common.events.decisions import DecisionMade, Verdict

EXAMPLE = next(event for event in examples() if isinstance(event, DecisionMade))


def told(*records: tuple[int, Verdict]) -> Decisions:
    decisions = Decisions()
    for sequence, verdict in records:
        number = UUID(int=sequence * 10 + len(verdict))
        update = {"sequence": sequence, "verdict": verdict, "decision_id": number}
        decisions.add(EXAMPLE.model_copy(update=update))
    return decisions


@pytest.mark.parametrize(
    ("records", "verdict", "whole"),
    [
        pytest.param([(1, "allow")], "allow", True, id="allowed"),
        pytest.param([(1, "defer")], "defer", True, id="waiting"),
        pytest.param([(2, "allow"), (1, "defer"), (1, "defer")], "allow", True, id="disorder-and-repeat"),
        pytest.param([(1, "allow"), (2, "deny")], "deny", True, id="revoked"),
        pytest.param([(1, "defer"), (3, "allow")], "allow", False, id="one-was-lost"),
        pytest.param([(1, "defer"), (2, "allow"), (2, "deny")], "deny", False, id="two-at-once"),
    ],
)
def test_the_highest_sequence_stands_and_every_one_was_told_once(
    records: list[tuple[int, Verdict]], verdict: str, whole: bool
) -> None:
    decisions = told(*records)
    assert (decisions.verdict, decisions.whole) == (verdict, whole)
