"""What `garbo contact erase` says is left: every topic that can hold a person, and for how long."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from garbo.common.events.erasure import REMEMBERED_FOR
from garbo.common.events.topics import RAW_TOPICS, READ_REQUESTED, SEGMENT, TOPICS, WEBHOOK_RECEIVED, Topic
from garbo.router.flow.commands.remains import remains

AT = datetime(2026, 6, 5, 10, tzinfo=UTC)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_each_topic_that_names_somebody_is_listed_until_its_records_are_gone(topic: Topic[Any]) -> None:
    left = {r.where: r for r in remains(erased_at=AT, keep=timedelta(days=90), suppressed=True)}
    schema = repr(topic.event.model_json_schema())
    holds_wamid = topic is READ_REQUESTED  # which holds the number
    if "contact_id" in schema or "phone" in schema or holds_wamid:
        assert left[topic.name].until == AT + topic.retention + SEGMENT
    else:
        assert topic.name not in left


def test_dead_letters_may_be_driven_again_and_are_listed_for_twice_as_long() -> None:
    left = {r.where: r.until for r in remains(erased_at=AT, keep=timedelta(days=90), suppressed=False)}
    letters = [topic for topic in RAW_TOPICS if topic is not WEBHOOK_RECEIVED]
    assert left[WEBHOOK_RECEIVED.name] == AT + timedelta(days=7) + SEGMENT
    assert {left[dead.name] for dead in letters} == {AT + timedelta(days=14) + 2 * SEGMENT}


def test_who_was_erased_is_remembered_for_longer_than_any_record_of_theirs_is_kept() -> None:
    assert max(topic.retention for topic in TOPICS) + SEGMENT < REMEMBERED_FOR


@pytest.mark.parametrize("suppressed", [True, False])
def test_what_stays_comes_last_and_a_hash_only_where_somebody_had_opted_out(suppressed: bool) -> None:
    left = remains(erased_at=AT, keep=timedelta(days=90), suppressed=suppressed)
    ends = [r.until or datetime.max.replace(tzinfo=UTC) for r in left]
    assert ends == sorted(ends)
    assert ("router.suppression" in {r.where for r in left}) is suppressed
