"""The Graph API over real sockets."""

from pathlib import Path

import httpx
import pytest

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


async def test_a_template_is_accepted_written_down_and_told(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        phone = running.world.crowd.customers.population[0].phone
        answer = await running.send(template(phone, biz_opaque_callback_data="m.1"))
        assert answer.status_code == 200
        body = answer.json()
        assert body["contacts"] == [{"input": phone, "wa_id": phone[1:]}]
        assert body["messages"][0]["message_status"] == "accepted"
        wamid = body["messages"][0]["id"]
        await until(lambda: len(running.receiver.statuses()) == 3)
        entry = (await running.client.get("/ledger")).json()[0]
    told = running.receiver.statuses()
    assert running.receiver.unsigned == 0
    assert [status["status"] for status in told] == ["sent", "delivered", "read"]
    assert {(s["id"], s["biz_opaque_callback_data"], s["recipient_id"]) for s in told} == {
        (wamid, "m.1", phone[1:])
    }
    assert [s.get("pricing", {}).get("category") for s in told] == ["marketing", "marketing", None]
    assert (entry["seq"], entry["wamid"], entry["recipient"], entry["biz_opaque"]) == (1, wamid, phone, "m.1")
    assert (entry["number_id"], entry["template"], entry["category"]) == ("1001", "spring_sale", "marketing")


@pytest.mark.parametrize(
    ("method", "path", "token", "status", "code"),
    [
        pytest.param("POST", "/v25.0/1001/messages", "wrong", 401, 190, id="wrong-token"),
        pytest.param("POST", "/v25.0/1001/messages", None, 401, 190, id="no-token"),
        pytest.param("POST", "/v25.0/1001/messages", SLOW.token, 403, 10, id="token-of-another-number"),
        pytest.param("POST", "/v25.0/7/messages", NUMBER.token, 400, 100, id="unknown-number"),
        pytest.param("GET", "/v25.0/7", NUMBER.token, 400, 100, id="unknown-object"),
        pytest.param("DELETE", "/v25.0/1001", NUMBER.token, 400, 100, id="unknown-method"),
        pytest.param("POST", "/v25.0/1001/messages", NUMBER.token, 400, 100, id="not-json"),
    ],
)
async def test_who_may_not_is_told_so(
    tmp_path: Path, method: str, path: str, token: str | None, status: int, code: int
) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    async with running_world(tmp_path) as running:
        answer = await running.client.request(method, path, headers=headers, content=b"{")
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


async def test_above_the_rate_the_answer_is_130429(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        answers = [await running.send(text("+393331234567"), number=SLOW) for _ in range(7)]
        summary = (await running.client.get("/ledger/summary")).json()
    assert [a.status_code for a in answers] == [200] * 5 + [429] * 2
    assert answers[-1].json()["error"]["code"] == 130429
    assert (summary["accepted"], summary["by_category"], summary["by_number"]) == (
        5,
        {"service": 5},
        {"1002": 5},
    )


async def test_free_form_needs_an_open_window(tmp_path: Path) -> None:
    phone = "+393331234567"
    async with running_world(tmp_path) as running:
        assert (await running.send(text(phone, biz_opaque_callback_data="late"))).status_code == 200
        await until(running.receiver.statuses)
        written = await running.client.post(
            f"/customers/{phone}/messages", json={"text": "hi", "number": "1001"}
        )
        assert written.status_code == 202
        assert (await running.send(text(phone))).status_code == 200
        await until(lambda: len(running.receiver.statuses()) == 4)
    failed, *rest = running.receiver.statuses()
    assert (failed["status"], failed["errors"][0]["code"]) == ("failed", 131047)
    assert failed["biz_opaque_callback_data"] == "late"
    assert [status["status"] for status in rest] == ["sent", "delivered", "read"]
    assert rest[0]["pricing"]["category"] == "service"
    assert [m["text"]["body"] for m in running.receiver.messages()] == ["hi"]


async def test_a_bsuid_is_answered_with_a_user_id(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        body = template("") | {"recipient": "IT.13491208655302741918"}
        del body["to"]
        answer = await running.send(body)
        await until(running.receiver.statuses)
    assert answer.json()["contacts"] == [
        {"input": "IT.13491208655302741918", "user_id": "IT.13491208655302741918"}
    ]
    assert "recipient_id" not in running.receiver.statuses()[0]


async def test_a_read_mark_is_not_a_send(tmp_path: Path) -> None:
    body = {"messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x"}
    async with running_world(tmp_path) as running:
        answer = await running.send(body)
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert len(running.world.ledger) == 0


async def break_next(running: Running, kind: str, **more: object) -> None:
    patch = {"faults": [{"kind": kind, "next": 1, **more}]}
    assert (await running.client.patch("/control", json=patch)).status_code == 200


async def test_an_injected_error_is_answered_once(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await break_next(running, "error", code=131016)
        first, second = [await running.send(template("+393331234567")) for _ in range(2)]
        assert (first.status_code, first.json()["error"]["code"], second.status_code) == (500, 131016, 200)
        assert len(running.world.ledger) == 1


@pytest.mark.parametrize(
    ("kind", "accepted"),
    [
        pytest.param("accept_then_drop", 1, id="accepted-and-no-answer"),
        pytest.param("drop", 0, id="no-answer"),
        pytest.param("hang", 0, id="late-and-no-answer"),
    ],
)
async def test_a_broken_connection_tells_nothing(tmp_path: Path, kind: str, accepted: int) -> None:
    async with running_world(tmp_path) as running:
        await break_next(running, kind, hang_ms=20)
        with pytest.raises(httpx.TransportError):
            await running.send(template("+393331234567", biz_opaque_callback_data="m.1"))
        assert len(running.world.ledger) == accepted
        await until(lambda: len(running.receiver.statuses()) == 3 * accepted)


async def test_accepted_and_answered_with_an_error_is_in_the_ledger(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await break_next(running, "accept_then_error", code=131000)
        assert (await running.send(template("+393331234567"))).status_code == 500
        assert len(running.world.ledger) == 1


async def test_a_chosen_failure_comes_as_a_status(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await break_next(running, "failed_status", code=131049)
        assert (await running.send(template("+393331234567"))).status_code == 200
        await until(running.receiver.statuses)
    assert running.receiver.statuses()[0]["errors"][0]["code"] == 131049


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param({"latency_ms": -1}, id="negative"),
        pytest.param({"nothing": 1}, id="unknown"),
        pytest.param({"faults": [{"kind": "error"}]}, id="fault-without-number"),
        pytest.param([], id="not-an-object"),
    ],
)
async def test_a_bad_control_is_refused(tmp_path: Path, patch: object) -> None:
    async with running_world(tmp_path) as running:
        answer = await running.client.patch("/control", json=patch)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert (await running.client.get("/control")).json()["latency_ms"] == 0


async def test_it_says_how_it_is(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await running.client.get(path)).status_code == 200
        people = (await running.client.get("/customers")).json()
    assert len(people) == 20
    assert set(people[0]) == {"phone", "user_id", "name", "stopped"}


async def marketed(running: Running, body: Json) -> Json:
    return await graph(running, "POST", f"{NUMBER.id}/marketing_messages", json=body)


async def test_the_marketing_endpoint_takes_marketing_templates_of_who_is_onboarded(tmp_path: Path) -> None:
    phone, utility = "+393331234567", template("+393331234567", "order_update", parameters=2)
    utility["template"]["language"]["code"] = "en_US"
    async with running_world(tmp_path) as running:

        async def change(thing: str, **fields: object) -> None:
            assert (await running.client.patch(f"/control/{thing}", json=fields)).status_code == 200

        assert (await marketed(running, template(phone)))["error"]["code"] == 134102
        await change("accounts/9001", marketing_messages_onboarding_status="ONBOARDED")
        assert (await marketed(running, text(phone)))["error"]["code"] == 100
        assert (await marketed(running, utility))["error"]["code"] == 134100
        assert (await marketed(running, template(phone, product_policy="X")))["error"]["code"] == 100
        await change("templates/spring_sale", syncing_for_s=600, marketing_only=True)
        assert (await marketed(running, template(phone)))["error"]["code"] == 134101
        assert (await running.send(template(phone))).json()["error"]["code"] == 131061
        await change("templates/spring_sale", syncing_for_s=0)
        assert (await marketed(running, template(phone, product_policy="STRICT")))["http"] == 200
        await until(lambda: len(running.receiver.statuses()) == 3)
        [entry] = (await running.client.get("/ledger")).json()
    assert (entry["lite"], entry["category"]) == (True, "marketing")
    assert running.receiver.statuses()[0]["pricing"]["category"] == "marketing_lite"
