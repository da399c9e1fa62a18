"""Webhooks over real sockets: signed, again until 200, doubled, batched, out of order."""

import asyncio
from collections import Counter
from pathlib import Path

from garbo.simulator.population.crowd import RATES
from garbo.simulator.population.reactions import Reply
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import NUMBER, running_world, template

PHONE = "+393331234567"


async def test_a_webhook_comes_again_until_it_is_answered_200(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"population": {"read_ratio": 0}}) as running:
        running.receiver.answers = [503, 202, 500]
        await running.send(template(PHONE))
        await until(lambda: running.world.outbox.counts.delivered == 2)
        assert running.world.outbox.pending == 0
        assert running.world.outbox.counts.failed_posts == 3
    assert len(running.receiver.bodies) == 5
    assert len(set(running.receiver.bodies)) == 2
    assert running.receiver.unsigned == 0


async def test_a_doubled_webhook_is_the_same_bytes_twice(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"webhooks": {"doubled_ratio": 1}}) as running:
        await running.send(template(PHONE))
        await until(lambda: running.world.outbox.counts.doubled == 3)
    assert sorted(Counter(running.receiver.bodies).values()) == [2, 2, 2]


async def test_out_of_order_means_delivered_is_told_before_sent(tmp_path: Path) -> None:
    control = {"webhooks": {"out_of_order_ratio": 1}, "delays": {"sent_ms": 20, "delivered_ms": 100}}
    async with running_world(tmp_path, control) as running:
        await running.send(template(PHONE))
        await until(lambda: len(running.receiver.statuses()) == 3)
    assert [s["status"] for s in running.receiver.statuses()][:2] == ["delivered", "sent"]


async def test_a_batch_holds_statuses_of_several_numbers_and_messages(tmp_path: Path) -> None:
    control = {
        "webhooks": {"batch_ratio": 1, "retry_max_ms": 50},
        "delays": {"sent_ms": 0, "delivered_ms": 0, "read_ms": 0},
    }
    async with running_world(tmp_path, control) as running:
        running.receiver.answers = [500] * 8
        await asyncio.gather(*(running.send(template(f"+39333123456{n}")) for n in range(10)))
        await until(lambda: len({s["id"] for s in running.receiver.statuses()}) == 10)
        await until(lambda: not running.world.outbox.pending)
    assert len(running.receiver.bodies) < 30


async def test_a_preference_is_a_field_of_its_own_and_promos_then_fail(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"population": {"read_ratio": 0}}) as running:
        crowd = running.world.crowd
        person = crowd.customers.population[0]
        crowd.prefer(person, "stop", number=NUMBER)
        await running.send(template(person.phone))
        await until(lambda: [s["status"] for s in running.receiver.statuses()] == ["failed"])
        crowd.prefer(person, "resume", number=NUMBER)
        await running.send(template(person.phone))
        await until(lambda: len(running.receiver.statuses()) == 3)
    [stop, resume] = [v["user_preferences"][0] for v in running.receiver.values() if "user_preferences" in v]
    assert (stop["wa_id"], stop["value"], resume["value"]) == (person.wa_id, "stop", "resume")
    assert running.receiver.statuses()[0]["errors"][0]["code"] == 131050
    assert b'"field":"user_preferences"' in running.receiver.bodies[0]


async def test_somebody_with_a_new_number_is_told_of_and_not_reached_under_the_old(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"population": {"read_ratio": 0}}) as running:
        crowd = running.world.crowd
        person = crowd.customers.population[0]
        before = person.phone
        crowd.change_number(person, number=NUMBER)
        await running.send(template(before))
        await until(running.receiver.statuses)
    [told] = running.receiver.messages()
    assert (told["type"], told["from"], told["system"]["wa_id"]) == ("system", before[1:], person.wa_id)
    assert running.receiver.statuses()[0]["errors"][0]["code"] == 131026


async def test_meta_holds_back_promos_of_the_population_alone(tmp_path: Path) -> None:
    control = {"cooldown_ratio": 1, "population": {"read_ratio": 0}}
    async with running_world(tmp_path, control) as running:
        known = running.world.crowd.customers.population[0].phone
        await running.send(template(PHONE))
        await running.send(template(known))
        await until(lambda: len(running.receiver.statuses()) == 3)
    failed = [s for s in running.receiver.statuses() if s["status"] == "failed"]
    assert [(s["recipient_id"], s["errors"][0]["code"]) for s in failed] == [(known[1:], 131049)]


async def test_quiet_tells_everything_that_was_pending_at_once(tmp_path: Path) -> None:
    slow = {"sent_ms": 600_000, "delivered_ms": 600_000, "read_ms": 600_000}
    async with running_world(tmp_path, {"delays": slow, "population": {"on": True}}) as running:
        await running.send(template(PHONE))
        answer = await running.client.post("/control/quiet")
        assert answer.status_code == 200
        assert answer.json()["webhooks"]["pending"] == 0
        assert (await running.client.get("/control")).json()["population"]["on"] is False
    assert {s["status"] for s in running.receiver.statuses()} == {"sent", "delivered", "read"}


async def test_customers_write_press_and_stop_by_themselves(tmp_path: Path) -> None:
    lively = {
        "on": True,
        "questions_per_minute": 600,
        "stops_per_minute": 600,
        "starts_per_minute": 600,
        "reply_to_promo_ratio": 1,
        "stop_ratio": 0,
    }
    async with running_world(tmp_path, {"population": lively}) as running:
        people = running.world.crowd.customers.population
        for customer in people:
            await running.send(template(customer.phone))
        await until(lambda: any(m["type"] == "button" for m in running.receiver.messages()))
        await until(lambda: any(m["type"] == "text" for m in running.receiver.messages()))
        await until(lambda: any(c.stopped for c in people))
    button = next(m for m in running.receiver.messages() if m["type"] == "button")
    assert button["context"]["id"].startswith("wamid.")
    assert button["from"] in {c.wa_id for c in people}
    value = next(v for v in running.receiver.values() if "messages" in v)
    assert value["contacts"][0]["wa_id"] == value["messages"][0]["from"]


async def test_nothing_follows_when_webhooks_are_off(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"webhooks": {"on": False}}) as running:
        await running.send(template(PHONE))
        assert running.world.outbox.counts.planned == 0


async def replies_of(folder: Path) -> set[tuple[str, str]]:
    """Send a promo to everybody and gather who answered what."""
    answering = {"on": True, "questions_per_minute": 0, "stops_per_minute": 0, "starts_per_minute": 0}
    async with running_world(folder, {"population": answering | {"reply_to_promo_ratio": 0.5}}) as running:
        for customer in running.world.crowd.customers.population:
            await running.send(template(customer.phone))
        await until(lambda: not running.world.outbox.pending and not len(running.world.agenda) > len(RATES))
    return {(m["from"], (m.get("button") or m["text"]).popitem()[1]) for m in running.receiver.messages()}


async def test_the_same_sends_in_the_same_world_bring_the_same_replies(tmp_path: Path) -> None:
    first, second = await replies_of(tmp_path / "one"), await replies_of(tmp_path / "two")
    assert first == second
    assert 3 < len(first) < 18


async def test_a_storm_tells_as_much_as_it_is_told_to(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"webhooks": {"batch_ratio": 1}}) as running:
        await running.send(template(PHONE, biz_opaque_callback_data="m.1"))
        await until(lambda: len(running.receiver.statuses()) == 3)
        for kind, count, told in (("messages", 500, 500), ("statuses", 9, 1)):
            answer = await running.client.post("/control/storm", json={"kind": kind, "count": count})
            assert (answer.status_code, answer.json()) == (202, {"told": told})
        await until(lambda: not running.world.outbox.pending)
        assert (await running.client.post("/control/storm", json={"kind": "x"})).status_code == 400
    assert len({m["id"] for m in running.receiver.messages()}) == 500
    assert [s["biz_opaque_callback_data"] for s in running.receiver.statuses()] == ["m.1"] * 4
    assert len(running.receiver.bodies) < 100


async def test_a_body_is_ascii_and_of_three_megabytes_at_most(tmp_path: Path) -> None:
    control = {"webhooks": {"batch_ratio": 1, "batch_max": 1000, "retry_max_ms": 50}}
    async with running_world(tmp_path, control) as running:
        running.receiver.answers = [500] * 8
        said = "è/" * 2000
        for n in range(400):
            customer = running.world.crowd.customers.population[n % 20]
            running.world.crowd.write(customer, Reply(said), number=NUMBER)
        await until(lambda: not running.world.outbox.pending)
    assert max(map(len, running.receiver.bodies)) <= 3_000_000
    assert len(set(running.receiver.bodies)) > 1
    assert all(raw.isascii() and b"\\u00e8\\/" in raw for raw in running.receiver.bodies)
    assert {m["text"]["body"] for m in running.receiver.messages()} == {said}
    assert len({m["id"] for m in running.receiver.messages()}) == 400
