"""What an operator is shown of a dead letter, whoever wrote it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.cli.dlq.fates import Fates
from garbo.cli.dlq.letters import Choice, Letter, Origin, origin_in, said_by
from garbo.cli.dlq.redrive import RedrivePlan
from garbo.cli.dlq.summary import Heap, heap_line, letter_lines
from garbo.common.runtime.deadletter import OWN_HEADERS, Failure, dead_letter_of
from garbo.common.runtime.deadletter import TOPIC as TOPIC_HEADER
from libs.common.tests.support.delivery import Raw

AT = datetime(2026, 11, 29, 8, tzinfo=UTC)
TOPIC = "garbo.send.requested.v1"
NOTHING_YET = Fates(frozenset(), frozenset())


def letter(
    offset: int = 7, *, value: bytes | None = b'{"client": "shop"}', reason: str = "invalid:to.phone"
) -> Letter:
    made = dead_letter_of(
        Raw(offset, value, topic=TOPIC, partition=3),
        to="garbo.router.dlq.v1",
        failure=Failure(reason, "refused while decoding in router.promo", AT),
    )
    return Letter.of(Raw(0, made.value, topic=made.topic, key=made.key, headers=[*made.headers]))


def test_letter_says_where_it_is_from_why_and_whose() -> None:
    found = letter()
    assert found.origin == Origin(TOPIC, 3, 7, 1)
    assert (found.reason, found.publisher, found.failed_at) == ("invalid:to.phone", "shop", AT)
    assert found.obstacle is None


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (Choice(), True),
        (Choice(topic=TOPIC, partition=3, offset=7), True),
        (Choice(topic="garbo.consent.recorded.v1"), False),
        (Choice(partition=0), False),
        (Choice(offset=8), False),
        (Choice(reason="invalid:to.phone"), True),
        (Choice(reason="invalid"), True),
        (Choice(reason="inv"), False),
        (Choice(reason="invalid:to"), False),
        (Choice(publisher="shop"), True),
        (Choice(publisher="crm"), False),
        (Choice(since=AT, until=AT + timedelta(seconds=1)), True),
        (Choice(since=AT + timedelta(seconds=1)), False),
        (Choice(until=AT), False),
    ],
)
def test_letters_are_chosen_by_what_they_say(choice: Choice, taken: bool) -> None:
    assert choice.takes(letter()) is taken


def test_letter_without_origin_or_time_is_chosen_by_nothing_that_needs_them() -> None:
    stranger = Letter.of(Raw(0, b"x"))
    assert Choice().takes(stranger)
    assert not any(c.takes(stranger) for c in (Choice(topic=TOPIC), Choice(offset=0), Choice(since=AT)))
    assert stranger.obstacle == "does not say where it comes from"


@pytest.mark.parametrize(
    ("value", "topic", "why"),
    [
        (b" " * 6 * 1024 * 1024, TOPIC, "is cut: of 6291456 bytes it holds the first 65536"),
        (None, TOPIC, "holds nothing"),
    ],
    ids=["cut", "empty"],
)
def test_what_cannot_be_tried_again_says_why(value: bytes | None, topic: str, why: str) -> None:
    failure = Failure("not_json", "e", AT)
    made = dead_letter_of(Raw(0, value, topic=topic), to="garbo.router.dlq.v1", failure=failure)
    found = Letter.of(Raw(0, made.value, headers=[*made.headers]))
    assert why in (found.obstacle or "")
    plan = RedrivePlan()
    plan.add(found, fates=NOTHING_YET)
    assert (plan.refused, plan.refused_count, plan.ready) == ([found], 1, set())


def test_letter_is_tried_again_once_for_each_time_it_was_refused() -> None:
    plan = RedrivePlan()
    for found in (letter(1), letter(1), letter(2)):
        tried = frozenset({Origin(TOPIC, 3, 2, 1), Origin(TOPIC, 3, 1, 0)})
        plan.add(found, fates=Fates(tried, discarded=frozenset()))
    assert (plan.ready, plan.repeated) == ({Origin(TOPIC, 3, 1, 1)}, 1)


def webhook_letter(place: int, *, said: int, attempt: int = 1) -> Letter:
    headers: list[tuple[str, bytes | None]] = [
        (TOPIC_HEADER, b"http:/webhooks/whatsapp"),
        ("garbo-origin-partition", b"0" if said >= 0 else b"-1"),
        ("garbo-origin-offset", b"%d" % said),
        ("garbo-attempt", b"%d" % attempt),
    ]
    return Letter.of(Raw(place, b"{}", partition=0, headers=headers))


def test_letters_of_webhooks_are_told_apart_whatever_was_replayed_or_refused_anew() -> None:
    first, replayed, again = (
        webhook_letter(5, said=-1),
        webhook_letter(9, said=5),
        webhook_letter(11, said=5, attempt=2),
    )
    plan = RedrivePlan()
    for found in (first, replayed, again):
        plan.add(found, fates=NOTHING_YET)
    assert len(plan.ready) == 3
    written = [said_by(Raw(0, b"{}", headers=[*found.again("to").headers])) for found in (first, replayed)]
    tried = frozenset(origin for said in written if (origin := origin_in(said)))
    plan = RedrivePlan()
    for found in (first, replayed, again):
        plan.add(found, fates=Fates(tried, frozenset()))
    assert (plan.ready, plan.repeated) == ({again.origin}, 2)


def test_contents_are_shown_only_when_asked_for_and_move_no_cursor() -> None:
    found = letter(value=b'{"client": "shop", "text": "\x1b[2J secret"}')
    assert not any("secret" in line for line in letter_lines(found, values=False))
    shown = "\n".join(letter_lines(found, values=True))
    assert "secret" in shown
    assert "\x1b" not in shown


headers = st.lists(
    st.tuples(
        st.sampled_from(sorted(OWN_HEADERS)),
        st.one_of(st.none(), st.binary(max_size=30), st.sampled_from([b"9" * 5000, b"2026-01-01T00:00:00"])),
    )
)


@given(headers=headers, value=st.one_of(st.none(), st.binary(max_size=50)))
def test_whatever_stands_in_the_topic_is_shown(
    headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    found, heap = Letter.of(Raw(0, value, headers=headers)), Heap()
    heap.add(found)
    lines = [heap_line("t", found.reason, found.publisher, heap, now=AT), *letter_lines(found, values=True)]
    assert all(line.isprintable() for line in lines)
    Choice(since=AT, reason="x", partition=1).takes(found)
