"""Topics: the difference between a cluster and the table."""

from dataclasses import replace
from datetime import timedelta

import pytest

from garbo.cli.topics import WANTED, AnyTopic, Present, changes, configs_of
from garbo.common.events.topics import SEGMENT, SEND_CARE


def _as_wanted() -> dict[str, Present]:
    return {topic.name: Present(topic.partitions, configs_of(topic)) for topic in WANTED}


def test_an_empty_cluster_gets_every_topic() -> None:
    assert {change.kind for change in changes({})} == {"create"}
    assert len(changes({})) == len(WANTED)


def test_a_cluster_that_agrees_needs_nothing() -> None:
    assert changes(_as_wanted()) == []


@pytest.mark.parametrize(
    ("there", "kind", "refused"),
    [
        pytest.param(Present(3, configs_of(SEND_CARE)), "partitions", True, id="other partitions"),
        pytest.param(Present(12, {"retention.ms": "1"}), "configure", False, id="other retention"),
    ],
)
def test_a_topic_that_differs_is_configured_but_never_repartitioned(
    there: Present, kind: str, refused: bool
) -> None:
    (change,) = changes(_as_wanted() | {SEND_CARE.name: there})
    assert (change.topic.name, change.kind, change.refused) == (SEND_CARE.name, kind, refused)


@pytest.mark.parametrize("topic", WANTED, ids=lambda topic: topic.name)
def test_no_record_outlives_its_retention_by_more_than_a_day(topic: AnyTopic) -> None:
    """Kafka leaves a segment open for 7 days, and keeps its first record for as long as its last."""
    open_for = timedelta(milliseconds=int(configs_of(topic)["segment.ms"]))
    assert open_for <= SEGMENT <= timedelta(days=1)
    before = Present(topic.partitions, configs_of(topic) | {"segment.ms": "604800000"})
    (change,) = changes(_as_wanted() | {topic.name: before})
    assert (change.kind, change.detail) == ("configure", "segment.ms: 604800000 -> 86400000")


def test_only_what_the_table_names_is_looked_at() -> None:
    other = replace(SEND_CARE, name="somebody.elses.topic")
    assert changes(_as_wanted() | {other.name: Present(1, {})}) == []
