"""Each limit of the platform with its own code, over real sockets."""

import time
from pathlib import Path
from typing import Any, Final

import pytest

from garbo.simulator.instants import now_ns
from libs.common.tests.support.contents import GOOD
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import (
    NUMBER,
    SLOW,
    Json,
    Running,
    graph,
    running_world,
    template,
    text,
)

PHONE: Final = "+393331234567"
US: Final = "+12125550123"


async def codes(running: Running, bodies: list[Json]) -> list[int]:
    """Send them one after the other; 0 for what was accepted, else the code."""
    answers = [await running.send(body) for body in bodies]
    return [0 if one.is_success else one.json()["error"]["code"] for one in answers]


def failed(running: Running) -> list[int]:
    return [s["errors"][0]["code"] for s in running.receiver.statuses() if s["status"] == "failed"]


async def test_the_46th_message_to_one_person_is_too_much(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        assert await codes(running, [template(PHONE)] * 46) == [0] * 45 + [131056]
        assert await codes(running, [template(US)]) == [0]
        await running.client.patch("/control", json={"limits": {"pair": "off"}})
        assert await codes(running, [template(PHONE)]) == [0]


async def test_unpaid_back_messages_are_too_much_where_control_says_so(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"limits": {"pair": "paid_back"}}) as running:
        assert await codes(running, [template(PHONE)] * 46) == [0] * 45 + [131056]


@pytest.mark.parametrize(
    ("control", "body", "code"),
    [
        pytest.param({"restricted_countries": ["+39"]}, template(PHONE), 130497, id="country"),
        pytest.param({"app_usage": 100}, template(PHONE), 4, id="app"),
        pytest.param({"account_usage": 100}, template(PHONE), 80007, id="account"),
        pytest.param({"flows": {"7": "BLOCKED"}}, text(PHONE) | GOOD["flow"], 132068, id="flow"),
    ],
)
async def test_what_is_over_a_limit_is_refused(tmp_path: Path, control: Json, body: Json, code: int) -> None:
    async with running_world(tmp_path, {"limits": control}) as running:
        assert await codes(running, [body]) == [code]
        await running.client.patch("/control", json={"rate_limits": False, "limits": {"app_usage": 0}})
        assert len(running.world.ledger) == 0


async def test_a_throttled_flow_opens_ten_times_an_hour(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"limits": {"flows": {"7": "THROTTLED"}}}) as running:
        flow = text(PHONE) | GOOD["flow"]
        assert await codes(running, [flow] * 11) == [0] * 10 + [132069]


@pytest.mark.parametrize(
    ("control", "phone", "code"),
    [
        pytest.param({}, US, 131049, id="united states"),
        pytest.param({"experiment_ratio": 1}, PHONE, 130472, id="experiment"),
        pytest.param({"marketing_to_us": True, "marketing_per_person": 1}, US, None, id="allowed"),
    ],
)
async def test_a_promo_fails_later_and_a_service_message_does_not(
    tmp_path: Path, control: Json, phone: str, code: int | None
) -> None:
    async with running_world(tmp_path, {"limits": control}) as running:
        utility = template(phone, "order_update", parameters=2)
        utility["template"]["language"]["code"] = "en_US"
        assert await codes(running, [template(phone), utility]) == [0, 0]
        await until(lambda: not running.world.outbox.pending)
        assert failed(running) == ([code] if code else [])


async def test_a_person_gets_so_many_promos_a_day_unless_they_wrote(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"limits": {"marketing_per_person": 2}}) as running:
        assert await codes(running, [template(PHONE)] * 3) == [0] * 3
        await until(lambda: failed(running) == [131049])
        wrote = {"text": "hi", "number": NUMBER.id}
        await running.client.post(f"/customers/{PHONE}/messages", json=wrote)
        assert await codes(running, [template(PHONE)]) == [0]
        await until(lambda: not running.world.outbox.pending)
        assert failed(running) == [131049]


async def test_the_portfolio_reaches_so_many_people_a_day(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await running.client.patch("/control/accounts/9001", json={"messaging_limit": "TIER_250"})
        sent = [template(f"+39333{n:07d}") for n in range(251)]
        assert await codes(running, [*sent, sent[0]]) == [0] * 252
        await until(lambda: not running.world.outbox.pending)
        assert failed(running) == [131048]
        shown = await graph(running, "GET", "1001", params={"fields": "messaging_limit_tier"})
        assert shown["messaging_limit_tier"] == "TIER_250"


async def test_who_has_not_paid_is_told_later(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await running.client.patch("/control/accounts/9001", json={"restriction": "unpaid"})
        assert await codes(running, [template(PHONE)]) == [0]
        await until(lambda: failed(running) == [131042])
        await running.client.patch("/control/accounts/9001", json={"restriction": "misclassified"})
        assert await codes(running, [template(PHONE), text(PHONE)]) == [131064, 0]


async def test_a_number_is_upgraded_throttled_and_slowed(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:

        async def change(**fields: object) -> None:
            answer = await running.client.patch("/control/numbers/1001", json=fields)
            assert answer.status_code == 200

        await change(throughput="HIGH", maintenance_for_s=60)
        assert await codes(running, [template(PHONE)]) == [131057]
        await change(maintenance_for_s=-1, throttled_for_s=60)
        assert await codes(running, [template(PHONE)]) == [130429]
        await change(throttled_until=time.time() - 1)
        assert await codes(running, [template(PHONE)]) == [0]
        await change(is_on_biz_app=True)
        window, later = running.world.accounts.numbers["1001"].window, now_ns() + 10**10
        assert [window.take(later) for _ in range(22)] == [True] * 20 + [False] * 2
        await change(is_on_biz_app=False)
        assert all(window.take(later + 2 * 10**9) for _ in range(1000)), "it was upgraded"


async def test_calls_are_counted_told_and_ended(tmp_path: Path) -> None:
    control: dict[str, Any] = {"account_calls_per_hour": 4, "retry_after_ratio": 1, "regain_minutes": 7}
    async with running_world(tmp_path, {"limits": control}) as running:
        headers = {"authorization": f"Bearer {NUMBER.token}"}
        answers = [await running.client.get("/v25.0/9001", headers=headers) for _ in range(5)]
        assert [one.status_code for one in answers] == [200] * 4 + [400]
        assert answers[-1].json()["error"]["code"] == 80007
        assert answers[-1].headers["retry-after"] == "420"
        usage = answers[-1].headers["x-business-use-case-usage"]
        assert '"call_count":100' in usage
        assert '"estimated_time_to_regain_access":7' in usage
        assert '"call_count":25' in answers[0].headers["x-business-use-case-usage"]
        assert "retry-after" not in (await running.send(template(PHONE))).headers
        await running.client.patch("/control", json={"limits": {"app_usage": 40}})
        assert '"call_count":40' in (await running.send(template(PHONE))).headers["x-app-usage"]


async def test_a_refusal_for_the_rate_may_say_when_to_come_back(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"limits": {"retry_after_ratio": 1}}) as running:
        answers = [await running.send(template(PHONE), number=SLOW) for _ in range(6)]
        assert (answers[-1].status_code, answers[-1].headers["retry-after"]) == (429, "1")


async def test_pacing_holds_delivers_and_drops(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:

        async def pace(how: str) -> None:
            answer = await running.client.patch("/control/templates/spring_sale", json={"pacing": how})
            assert answer.status_code == 200

        await pace("hold")
        held = (await running.send(template(PHONE))).json()
        assert held["messages"][0]["message_status"] == "held_for_quality_assessment"
        assert running.world.outbox.pending == 0
        await pace("release")
        await until(lambda: len(running.receiver.statuses()) == 3)
        await pace("hold")
        assert await codes(running, [template(PHONE)]) == [0]
        await pace("drop")
        assert await codes(running, [template(PHONE)]) == [132015]
        await until(lambda: failed(running) == [132015])
        shown = (await running.client.get("/control/templates/spring_sale")).json()
        assert (await graph(running, "POST", f"{shown['id']}/unpause"))["success"]
        assert await codes(running, [template(PHONE)]) == [0]
