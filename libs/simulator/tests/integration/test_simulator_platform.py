"""What the platform says of tokens, numbers, accounts and subscriptions, and who may ask."""

import hmac
import time
from hashlib import sha256
from pathlib import Path

import pytest

from garbo.simulator.assets.app import WEBHOOK_FIELDS, MetaApp
from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import (
    NUMBER,
    SECRET,
    SLOW,
    Json,
    Running,
    graph,
    running_world,
    template,
)

APP = MetaApp(secret=SECRET)
PHONE = "+393331234567"


async def patch(running: Running, thing: str, **fields: object) -> None:
    answer = await running.client.patch(f"/control/{thing}", json=fields)
    assert answer.status_code == 200, answer.text


def failure(answer: Json) -> tuple[int, int, int | None]:
    error = answer["error"]
    return answer["http"], error["code"], error.get("error_subcode")


async def debugged(running: Running, token: str, *, by: str = APP.token) -> Json:
    answer = await graph(running, "GET", "debug_token", token=by, params={"input_token": token})
    data: Json = answer.get("data") or answer
    return data


async def test_a_token_is_told_with_its_scopes_and_accounts(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        for by in (APP.token, NUMBER.token):
            told = await debugged(running, NUMBER.token, by=by)
            assert (told["is_valid"], told["expires_at"], told["app_id"]) == (True, 0, APP.id)
            assert {g["scope"]: g["target_ids"] for g in told["granular_scopes"]} == {
                "whatsapp_business_management": ["9001"],
                "whatsapp_business_messaging": ["9001"],
            }
        query = {"input_token": SLOW.token, "access_token": APP.token}
        bare = await running.client.get("/debug_token", params=query)
        assert bare.json()["data"]["is_valid"]
        nobody = await debugged(running, "nobody-s")
        assert (nobody["is_valid"], nobody["error"]["code"]) == (False, 190)
        await patch(running, "tokens/1001", scopes=["public_profile"])
        assert (await debugged(running, NUMBER.token))["scopes"] == ["public_profile"]
        await patch(running, "tokens/1001", app_id="77")
        other = await debugged(running, NUMBER.token)
        assert failure(other | {"http": 400}) == (400, 100, None)
        assert (await debugged(running, NUMBER.token, by=NUMBER.token))["app_id"] == "77"


async def test_an_expired_token_opens_nothing(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await patch(running, "tokens/1001", expires_in_s=3600)
        assert (await running.send(template(PHONE))).status_code == 200
        assert (await debugged(running, NUMBER.token))["expires_at"] == pytest.approx(
            time.time() + 3600, abs=5
        )
        await patch(running, "tokens/1001", expires_at=time.time() - 1)
        sent = await running.send(template(PHONE))
        assert (sent.status_code, sent.json()["error"]["code"], sent.json()["error"]["error_subcode"]) == (
            401,
            190,
            463,
        )
        assert failure(await graph(running, "GET", "1001")) == (401, 190, 463)
        told = await debugged(running, NUMBER.token)
        assert (told["is_valid"], told["error"]["subcode"]) == (False, 463)
        await patch(running, "tokens/1001", expires_at=0, valid=False)
        assert failure(await graph(running, "GET", "1001")) == (401, 190, 460)
        assert (
            await running.client.patch("/control/tokens/1001", json={"expires_in_s": "x"})
        ).status_code == 400
        assert len(running.world.ledger) == 1


@pytest.mark.parametrize(
    ("scopes", "sends", "lists", "shows"),
    [
        pytest.param(["whatsapp_business_messaging"], True, False, True, id="messaging"),
        pytest.param(["whatsapp_business_management"], False, True, True, id="management"),
        pytest.param([], False, False, False, id="nothing"),
    ],
)
async def test_a_token_opens_what_its_scopes_say(
    tmp_path: Path, scopes: list[str], sends: bool, lists: bool, shows: bool
) -> None:
    async with running_world(tmp_path) as running:
        await patch(running, "tokens/1001", scopes=scopes)
        assert (await running.send(template(PHONE))).is_success == sends
        listed = await graph(running, "GET", "9001/message_templates")
        assert (listed["http"] == 200) == lists
        assert ((await graph(running, "GET", "1001"))["http"] == 200) == shows
        if not lists:
            assert failure(listed) == (403, 200, None)


async def test_a_call_proves_the_app_s_secret(tmp_path: Path) -> None:
    right = hmac.new(SECRET.encode(), NUMBER.token.encode(), sha256).hexdigest()
    async with running_world(tmp_path) as running:
        wrong = await graph(running, "GET", "1001", params={"appsecret_proof": "0" * 64})
        assert failure(wrong) == (400, 100, None)
        await patch(running, "app", require_proof=True)
        missing = await graph(running, "GET", "1001")
        assert "appsecret_proof" in missing["error"]["message"]
        assert (await graph(running, "GET", "1001", params={"appsecret_proof": right}))["http"] == 200
        url = "/v25.0/1001/messages"
        headers = {"authorization": f"Bearer {NUMBER.token}"}
        sent = [
            await running.client.post(f"{url}{query}", json=template(PHONE), headers=headers)
            for query in ("", "?appsecret_proof=" + "0" * 64, f"?appsecret_proof={right}")
        ]
        assert [one.status_code for one in sent] == [400, 400, 200]


async def test_a_number_shows_what_is_asked_for(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await patch(running, "numbers/1001", quality_rating="RED", can_send_message="LIMITED")
        usual = await graph(running, "GET", "1001")
        assert (usual["quality_rating"], usual["throughput"]) == ("RED", {"level": "STANDARD"})
        assert "name_status" not in usual
        names = "name_status,health_status{can_send_message},whatsapp_business_manager_messaging_limit"
        asked = await graph(running, "GET", "1001", params={"fields": names})
        assert set(asked) == {*names.replace("{can_send_message}", "").split(","), "id", "http"}
        assert asked["health_status"]["can_send_message"] == "LIMITED"
        unknown = await graph(running, "GET", "1001", params={"fields": "colour"})
        assert "nonexisting field (colour)" in unknown["error"]["message"]
        assert failure(await graph(running, "GET", "7")) == (400, 100, 33)
        assert (await running.client.patch("/control/numbers/1001", json={"status": "x"})).status_code == 400
        assert (await running.client.patch("/control/numbers/7", json={})).status_code == 404


@pytest.mark.parametrize(
    ("thing", "fields", "code"),
    [
        ("numbers/1001", {"status": "DISCONNECTED"}, 133010),
        ("numbers/1001", {"status": "BANNED"}, 131031),
        ("numbers/1001", {"status": "DELETED"}, 33),
        ("accounts/9001", {"restriction": "blocked"}, 368),
        ("accounts/9001", {"restriction": "locked"}, 131031),
        ("accounts/9001", {"disable_marketing_messages_on_cloud_api": True}, 131063),
        ("templates/spring_sale", {"status": "PAUSED"}, 132015),
        ("templates/spring_sale", {"status": "DISABLED"}, 132016),
        ("templates/spring_sale", {"status": "REJECTED"}, 132001),
    ],
)
async def test_what_stands_against_a_send_has_its_code(
    tmp_path: Path, thing: str, fields: Json, code: int
) -> None:
    async with running_world(tmp_path) as running:
        await patch(running, thing, **fields)
        refused = await running.send(template(PHONE))
        assert refused.json()["error"]["code"] == code
        assert len(running.world.ledger) == 0


async def test_an_account_and_its_numbers_are_listed_page_by_page(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        shown = await graph(running, "GET", "9001", params={"fields": "name,currency,account_review_status"})
        assert (shown["currency"], shown["account_review_status"]) == ("EUR", "APPROVED")
        first = await graph(running, "GET", "9001/phone_numbers", params={"limit": "1"})
        after = {"limit": "1", "after": first["paging"]["cursors"]["after"]}
        second = await graph(running, "GET", "9001/phone_numbers", params=after)
        assert [first["data"][0]["id"], second["data"][0]["id"]] == ["1001", "1002"]
        assert ("next" in first["paging"], "next" in second["paging"]) == (True, False)
        back = {"limit": "1", "before": second["paging"]["cursors"]["before"]}
        assert (await graph(running, "GET", "9001/phone_numbers", params=back))["data"] == first["data"]
        bad = await graph(running, "GET", "9001/phone_numbers", params={"after": "nowhere"})
        assert failure(bad) == (400, 100, None)


async def test_the_app_s_own_token_reads_its_subscriptions(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        listed = await graph(running, "GET", f"{APP.id}/subscriptions", token=APP.token)
        assert [f["name"] for f in listed["data"][0]["fields"]] == list(WEBHOOK_FIELDS)
        assert failure(await graph(running, "GET", f"{APP.id}/subscriptions")) == (400, 15, None)
        await patch(running, "app", fields=["messages"])
        running.world.operations.account("9001", {"restriction": "locked"})
        assert running.world.outbox.counts.unheard == 1
        await patch(running, "app", active=False)
        assert (await graph(running, "GET", f"{APP.id}/subscriptions", token=APP.token))["data"] == []


async def test_what_the_app_is_not_subscribed_to_is_not_told(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        mine = (await graph(running, "GET", "9001/subscribed_apps"))["data"]
        assert mine[0]["whatsapp_business_api_data"]["id"] == APP.id
        assert (await graph(running, "DELETE", "9001/subscribed_apps"))["success"]
        assert (await graph(running, "GET", "9001/subscribed_apps"))["data"] == []
        await running.send(template(PHONE))
        await until(lambda: running.world.outbox.counts.unheard == 3)
        assert (await graph(running, "POST", "9001/subscribed_apps"))["success"]
        await running.send(template(PHONE))
        await until(lambda: len(running.receiver.statuses()) == 3)


async def test_webhooks_go_where_number_or_account_say_once_the_address_agreed(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        other = running.world.accounts.app_facts.callback_url + "/other"
        wanted = {"override_callback_uri": other, "verify_token": "wrong"}
        refused = await graph(running, "POST", "9001/subscribed_apps", json=wanted)
        assert failure(refused) == (400, 2200, None)
        wanted["verify_token"] = running.receiver.verify_token
        assert (await graph(running, "POST", "9001/subscribed_apps", json=wanted))["success"]
        listed = (await graph(running, "GET", "9001/subscribed_apps"))["data"]
        assert listed[0]["override_callback_uri"] == other
        await running.send(template(PHONE))
        await until(lambda: len(running.receiver.statuses()) == 3)
        assert set(running.receiver.paths) == {"/webhooks/whatsapp/other"}
        own = {"webhook_configuration": {**wanted, "override_callback_uri": other + "/number"}}
        assert (await graph(running, "POST", "1001", json=own))["success"]
        shown = await graph(running, "GET", "1001", params={"fields": "webhook_configuration"})
        assert shown["webhook_configuration"]["phone_number"] == other + "/number"
        await running.send(template(PHONE))
        await until(lambda: len(running.receiver.statuses()) == 6)
        assert running.receiver.paths[-1] == "/webhooks/whatsapp/other/number"


async def test_account_and_number_tell_what_becomes_of_them(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await patch(running, "accounts/9001", restriction="blocked")
        await patch(running, "accounts/9001", restriction="disabled", messaging_limit="TIER_2K")
        await patch(running, "accounts/9001", restriction="", account_review_status="REJECTED")
        await patch(running, "numbers/1001", throughput="HIGH", name_status="DECLINED")
        told = await running.client.post("/control/accounts/9001/tell/account_alerts", json={"severity": "x"})
        assert told.status_code == 202
        await until(lambda: len(running.receiver.changes()) == 8)
    fields = [(c["field"], c["value"].get("event")) for c in running.receiver.changes()]
    assert sorted(fields, key=str) == sorted(
        [
            ("account_update", "ACCOUNT_RESTRICTION"),
            ("account_update", "DISABLED_UPDATE"),
            ("business_capability_update", None),
            ("account_update", "DISABLED_UPDATE"),
            ("account_review_update", None),
            ("phone_number_quality_update", "THROUGHPUT_UPGRADE"),
            ("phone_number_name_update", None),
            ("account_alerts", None),
        ],
        key=str,
    )
