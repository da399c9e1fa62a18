"""Templates over the Graph API: listed, written, reviewed, edited, paused, deleted, and what is told."""

from pathlib import Path
from typing import Final

import pytest

from libs.common.tests.support.waiting import until
from libs.simulator.tests.support.world import NUMBER, Json, Running, graph, running_world, template

BODY: Final = {"type": "BODY", "text": "Hello {{1}}.", "example": {"body_text": [["Ada"]]}}
NEW: Final[Json] = {
    "name": "welcome",
    "language": "it",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "Welcome"},
        BODY,
        {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "See", "url": "https://example.com"}]},
    ],
}
SOON: Final = {"review": {"after_ms": 1}}
PHONE: Final = "+393331234567"


async def change(running: Running, name: str, **fields: object) -> Json:
    answer = await running.client.patch(f"/control/templates/{name}", json=fields)
    assert answer.status_code == 200, answer.text
    shown: Json = answer.json()
    return shown


def told(running: Running, field: str) -> list[Json]:
    return [one["value"] for one in running.receiver.changes() if one["field"] == field]


async def test_templates_are_listed_with_filters_and_fields(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        everything = await graph(running, "GET", "9001/message_templates")
        assert [(t["name"], t["status"], t["category"]) for t in everything["data"]] == [
            ("spring_sale", "APPROVED", "MARKETING"),
            ("order_update", "APPROVED", "UTILITY"),
        ]
        assert everything["data"][0]["components"][0]["text"].count("{{") == 1
        for query, names in (
            ({"name": "sale"}, ["spring_sale"]),
            ({"category": "UTILITY"}, ["order_update"]),
            ({"status": "PAUSED,REJECTED"}, []),
            ({"status": '["APPROVED"]', "language": "en-US"}, ["order_update"]),
            ({"limit": "1"}, ["spring_sale"]),
            ({"quality_score": "GREEN"}, []),
        ):
            found = await graph(running, "GET", "9001/message_templates", params=query)
            assert [t["name"] for t in found["data"]] == names, query
        one = everything["data"][0]["id"]
        fields = {"fields": "name,quality_score,parameter_format"}
        shown = await graph(running, "GET", one, params=fields)
        assert shown["quality_score"]["score"] == "UNKNOWN"
        assert set(shown) == {"name", "quality_score", "parameter_format", "id", "http"}
        await running.client.patch("/control/tokens/1001", json={"scopes": ["whatsapp_business_messaging"]})
        refused = await graph(running, "GET", "9001/message_templates")
        assert (refused["http"], refused["error"]["code"]) == (403, 200)


async def test_a_new_template_is_reviewed_and_then_sends(tmp_path: Path) -> None:
    async with running_world(tmp_path, {"review": {"after_ms": 60_000}}) as running:
        made = await graph(running, "POST", "9001/message_templates", json=NEW)
        assert (made["status"], made["category"]) == ("PENDING", "UTILITY")
        body = template(PHONE, "welcome")
        body["template"]["language"]["code"] = "it"
        assert (await running.send(body)).json()["error"]["code"] == 132001
        running.world.agenda.hurry()
        await until(lambda: told(running, "message_template_status_update"))
        assert (await running.send(body)).status_code == 200
        again = await graph(running, "POST", "9001/message_templates", json=NEW)
        assert again["error"]["error_subcode"] == 2388024
    [said] = told(running, "message_template_status_update")
    assert (said["event"], said["message_template_id"]) == ("APPROVED", int(made["id"]))


async def test_a_review_may_refuse_or_choose_another_category(tmp_path: Path) -> None:
    review = {"after_ms": 1, "verdict": "REJECTED", "reason": "TAG_CONTENT_MISMATCH"}
    async with running_world(tmp_path, {"review": review}) as running:
        await graph(running, "POST", "9001/message_templates", json=NEW)
        await until(lambda: told(running, "message_template_status_update"))
        await running.client.patch(
            "/control", json={"review": {"verdict": "APPROVED", "category": "MARKETING"}}
        )
        await graph(running, "POST", "9001/message_templates", json=NEW | {"name": "second"})
        await until(lambda: len(told(running, "message_template_status_update")) == 2)
        found = await graph(running, "GET", "9001/message_templates", params={"name": "second"})
    assert [(s["event"], s["reason"]) for s in told(running, "message_template_status_update")] == [
        ("REJECTED", "TAG_CONTENT_MISMATCH"),
        ("APPROVED", "NONE"),
    ]
    [category] = told(running, "template_category_update")
    assert (category["previous_category"], category["new_category"]) == ("UTILITY", "MARKETING")
    assert (found["data"][0]["category"], found["data"][0]["previous_category"]) == ("MARKETING", "UTILITY")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"name": "No Spaces"}, id="name"),
        pytest.param({"language": "Italian"}, id="language"),
        pytest.param({"category": "PROMO"}, id="category"),
        pytest.param({"components": []}, id="no body"),
        pytest.param({"components": [BODY, BODY]}, id="two bodies"),
        pytest.param({"components": [{"type": "BODY", "text": "Hello {{1}}."}]}, id="no example"),
        pytest.param({"components": [BODY | {"text": "Hello {{2}}."}]}, id="a gap"),
        pytest.param({"components": [BODY | {"text": "x" * 1025}]}, id="too long"),
        pytest.param({"components": [BODY, {"type": "HEADER", "format": "IMAGE"}]}, id="no handle"),
        pytest.param({"components": [BODY, {"type": "BUTTONS", "buttons": [{"type": "X"}]}]}, id="button"),
        pytest.param({"components": [BODY, {"type": "HEADING"}]}, id="kind"),
    ],
)
async def test_a_template_of_another_shape_is_not_taken(tmp_path: Path, fields: Json) -> None:
    async with running_world(tmp_path) as running:
        refused = await graph(running, "POST", "9001/message_templates", json=NEW | fields)
        assert (refused["http"], refused["error"]["code"]) == (400, 100)
        assert len(running.world.accounts.shelves["9001"]) == 2


async def test_a_template_is_edited_once_a_day_and_deleted_for_a_month(tmp_path: Path) -> None:
    async with running_world(tmp_path, SOON) as running:
        one = (await graph(running, "GET", "9001/message_templates"))["data"][0]["id"]
        for category in ("PROMO", "UTILITY"):
            refused = await graph(running, "POST", one, json={"category": category})
            assert refused["error"]["code"] == 100
        edit: Json = {"components": [BODY | {"text": "Spring: {{1}}!"}]}
        assert (await graph(running, "POST", one, json=edit))["success"]
        await until(lambda: told(running, "message_template_status_update"))
        again = await graph(running, "POST", one, json=edit)
        assert again["error"]["error_subcode"] == 2388027
        name = {"name": "spring_sale"}
        assert (await graph(running, "DELETE", "9001/message_templates", params=name))["success"]
        assert (await running.send(template(PHONE))).json()["error"]["code"] == 132001
        missing = await graph(running, "DELETE", "9001/message_templates", params=name)
        assert missing["error"]["error_subcode"] == 2593002
        reused = NEW | name | {"language": "en"}
        refused = await graph(running, "POST", "9001/message_templates", json=reused)
        assert refused["error"]["error_subcode"] == 2388023
        await until(lambda: len(told(running, "message_template_status_update")) == 2)
    assert told(running, "message_template_status_update")[-1]["event"] == "DELETED"


async def test_a_pause_for_quality_ends_by_itself_and_one_for_pacing_when_told(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        shown = await change(running, "spring_sale", status="PAUSED", title="FIRST_PAUSE", for_s=3600)
        assert (await running.send(template(PHONE))).json()["error"]["code"] == 132015
        running.world.agenda.hurry()
        assert (await running.send(template(PHONE))).status_code == 200
        await change(running, "spring_sale", status="PAUSED", title="RATE_LIMITING_PAUSE")
        running.world.agenda.hurry()
        assert (await running.send(template(PHONE))).json()["error"]["code"] == 132015
        assert (await graph(running, "POST", f"{shown['id']}/unpause"))["success"]
        assert not (await graph(running, "POST", f"{shown['id']}/unpause"))["success"]
        assert (await running.send(template(PHONE))).status_code == 200
        await until(lambda: len(told(running, "message_template_status_update")) == 4)
    titles = [s["other_info"]["title"] for s in told(running, "message_template_status_update")]
    assert sorted(titles) == ["FIRST_PAUSE", "RATE_LIMITING_PAUSE", "UNPAUSE", "UNPAUSE"]


async def test_what_becomes_of_a_template_is_told_or_lost(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        await change(running, "order_update", quality="RED", components=[BODY])
        await change(running, "order_update", category="MARKETING", announce=True, for_s=86_400)
        await until(lambda: len(running.receiver.changes()) == 3)
        running.world.agenda.hurry()
        await until(lambda: len(running.receiver.changes()) == 4)
        shown = await change(running, "order_update", quality="GREEN", webhook=False)
        await running.send(template(PHONE))
        await until(lambda: len(running.receiver.statuses()) == 3)
    assert (shown["quality_score"]["score"], shown["category"]) == ("GREEN", "MARKETING")
    [quality] = told(running, "message_template_quality_update")
    assert (quality["previous_quality_score"], quality["new_quality_score"]) == ("UNKNOWN", "RED")
    [parts] = told(running, "message_template_components_update")
    assert parts["message_template_element"] == BODY["text"]
    first, second = told(running, "template_category_update")
    assert (first["correct_category"], first["new_category"]) == ("MARKETING", "UTILITY")
    assert (second["previous_category"], second["new_category"]) == ("UTILITY", "MARKETING")


async def test_an_id_of_another_account_is_unknown(tmp_path: Path) -> None:
    async with running_world(tmp_path) as running:
        for path in ("7/message_templates", "123456", "9001/nothing"):
            refused = await graph(running, "GET", path, token=NUMBER.token)
            assert (refused["http"], refused["error"]["code"]) == (400, 100)
