"""What people write, in thirteen languages: opt-outs to be heard or asked about, all else to be left alone.

`open` and `hidden` were written before the vocabularies, `late` and `fresh` after them; no word was added for
`fresh`, so that it tells best how strangers' sentences fare. To see what is missed:
`.venv/bin/python -m services.router.tests.unit.domain.test_utterances`.
"""

import csv
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from garbo.router.domain.keyword_tables import VOCABULARIES
from garbo.router.domain.keywords import keyword_of

TABLE = Path(__file__).parents[2] / "payloads" / "utterances.tsv"
KINDS = {"typed": "text", "button": "button", "list": "interactive"}
MISSED_AT_MOST = {"open": 0, "hidden": 0, "late": 0, "fresh": 11}


class Utterance(NamedTuple):
    language: str
    way: str
    expected: str
    """stop: heard or asked about. leave: neither."""
    part: str
    text: str
    payload: str

    @property
    def got(self) -> str:
        said = keyword_of(text=self.text, payload=self.payload or None, kind=KINDS[self.way])
        if said is None:
            return "leave"
        return "stop" if said.meaning in ("stop", "unsure") else said.meaning


def utterances() -> list[Utterance]:
    with TABLE.open(encoding="utf-8", newline="") as lines:
        _, *rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [Utterance(*row) for row in rows]


def wrong(expected: str) -> list[Utterance]:
    return [said for said in utterances() if said.expected == expected != said.got]


def report() -> str:
    """Count false and missed opt-outs, and name them."""
    totals = Counter((said.part, said.expected) for said in utterances())
    missed, false = (Counter(said.part for said in wrong(expected)) for expected in ("stop", "leave"))
    lines = [
        f"{part}: missed {missed[part]} of {totals[part, 'stop']},"
        f" false {false[part]} of {totals[part, 'leave']}"
        for part in MISSED_AT_MOST
    ]
    named = [f"{said.expected}, got {said.got}: {said.text}" for said in wrong("stop") + wrong("leave")]
    return "\n".join([*lines, *named]) + "\n"


def test_the_table_has_each_language_and_as_much_to_leave_alone_as_to_hear() -> None:
    said = utterances()
    assert len(said) >= 400
    assert {one.language for one in said} == set(VOCABULARIES)
    counts = Counter((one.language, one.expected) for one in said)
    assert all(
        counts[language, expected] >= 16 for language in VOCABULARIES for expected in ("stop", "leave")
    )
    assert 2 * sum(one.expected == "leave" for one in said) >= len(said)
    assert {one.way for one in said} == set(KINDS)


def test_nothing_else_is_taken_for_an_opt_out_or_an_opt_in() -> None:
    assert not wrong("leave"), report()


def test_an_opt_out_is_heard_or_asked_about() -> None:
    sys.stdout.write(report())
    missed = Counter(said.part for said in wrong("stop"))
    assert all(missed[part] <= most for part, most in MISSED_AT_MOST.items()), report()


if __name__ == "__main__":
    sys.stdout.write(report())
