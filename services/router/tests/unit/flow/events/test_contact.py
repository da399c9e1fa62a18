"""What is told of a contact: zones and languages."""

from datetime import UTC, datetime, timedelta

from services.router.tests.support.build import AT, update
from services.router.tests.support.in_memory import state_of
from services.router.tests.support.memory import InMemoryStore
from services.router.tests.support.router import Router

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_the_newest_word_on_zone_and_language_stands(router: Router, memory: InMemoryStore) -> None:
    await router.hear(
        update(AT, timezone="America/New_York", language="es"),
        update(AT - HOUR, timezone="Europe/Rome", language="it"),
    )
    state = state_of(memory)
    assert (state.zone_for("acme"), state.language_for("acme")) == ("America/New_York", "es")


async def test_a_zone_told_by_a_clock_far_ahead_does_not_stand_for_ever(
    router: Router, memory: InMemoryStore
) -> None:
    await router.hear(update(timezone="Asia/Tokyo", occurred_at=datetime(9999, 1, 1, tzinfo=UTC)))
    memory.advance(timedelta(minutes=1))
    await router.hear(update(timezone="Europe/Rome", occurred_at=memory.now))
    assert state_of(memory).zone_for("acme") == "Europe/Rome"
