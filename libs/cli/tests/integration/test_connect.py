"""Each check of `garbo connect` made to fail once, against the running simulator: its line and its mend."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest

from garbo.cli.connect.checks import is_ready
from garbo.common.errors import StartRefused
from libs.cli.tests.support.platform import Platform, running_platform
from libs.simulator.tests.support.world import NUMBER, free_port

pytestmark = pytest.mark.integration

TOKEN, THIS, ACCOUNT = f"tokens/{NUMBER.id}", f"numbers/{NUMBER.id}", f"accounts/{NUMBER.waba}"
NAMES: Final = ("token", "number", "account", "app", "callback", "app secret", "templates", "marketing")
WRONG, NOTE, SKIPPED, RIGHT = "✗", "!", "–", "✓"
ALL_BUT: Final = [
    "messages",
    "message_template_status_update",
    "template_category_update",
    "message_template_components_update",
    "message_template_quality_update",
    "account_update",
    "phone_number_quality_update",
]


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    async with running_platform(tmp_path) as running:
        yield running


async def test_number_that_is_ready_has_eight_lines_and_tells_ingest_nothing(platform: Platform) -> None:
    printed = await platform.looked()
    assert [one.name for one in printed.found] == list(NAMES)
    assert {printed.of(name)[0] for name in NAMES} == {RIGHT}, printed.lines
    assert printed.lines[-1] == "ready"
    assert is_ready(printed.found)
    assert platform.log.entries == [], "the signed round trip tells nothing"
    assert NUMBER.token not in "\n".join(printed.lines)


@pytest.mark.parametrize(
    ("what", "patch", "name", "mark", "says"),
    [
        pytest.param(
            TOKEN,
            {"valid": False},
            "token",
            WRONG,
            (
                "not valid: code 190: Error validating access token",
                "Generate token, and write it to token.txt",
            ),
            id="token revoked",
        ),
        pytest.param(
            TOKEN, {"expires_in_s": -60}, "token", WRONG, ("not valid", "Generate token"), id="expired"
        ),
        pytest.param(
            TOKEN,
            {"expires_at": time.time() + 86_400},
            "token",
            NOTE,
            ("both scopes, expires 20", "a system user's can be one that never expires"),
            id="expires soon",
        ),
        pytest.param(
            TOKEN,
            {"scopes": ["whatsapp_business_messaging"]},
            "token",
            WRONG,
            (
                "lacks whatsapp_business_management",
                "generate it again with whatsapp_business_messaging and whatsapp_business_management ticked",
            ),
            id="a scope less",
        ),
        pytest.param(
            TOKEN,
            {"scopes": ["whatsapp_business_messaging"]},
            "templates",
            WRONG,
            ("cannot be read, code 200", "give the token whatsapp_business_management"),
            id="templates not to be read",
        ),
        pytest.param(
            THIS,
            {"status": "DISCONNECTED"},
            "number",
            WRONG,
            ("is disconnected", f"register it: POST /{NUMBER.id}/register"),
            id="not registered",
        ),
        pytest.param(
            THIS, {"status": "BANNED"}, "number", WRONG, ("is banned", "Account quality: appeal"), id="banned"
        ),
        pytest.param(
            THIS,
            {"platform_type": "ON_PREMISE"},
            "number",
            WRONG,
            ("not on the Cloud API", "move it there"),
            id="elsewhere",
        ),
        pytest.param(
            THIS,
            {"can_send_message": "BLOCKED"},
            "number",
            WRONG,
            ("may not send (health BLOCKED)", "fields=health_status"),
            id="number blocked",
        ),
        pytest.param(
            THIS, {"name_status": "DECLINED"}, "number", NOTE, ("name declined", "131037"), id="name declined"
        ),
        pytest.param(
            THIS, {"quality_rating": "RED"}, "number", NOTE, ("quality red", "send less promo"), id="quality"
        ),
        pytest.param(
            THIS, {"throughput": "HIGH"}, "number", RIGHT, ("1000 messages/s", ""), id="a faster number"
        ),
        pytest.param(
            THIS,
            {"is_on_biz_app": True},
            "number",
            RIGHT,
            ("20 messages/s", ""),
            id="used in the app as well",
        ),
        pytest.param(
            ACCOUNT,
            {"account_review_status": "REJECTED"},
            "account",
            WRONG,
            ("review rejected", "Account quality"),
            id="review",
        ),
        pytest.param(
            ACCOUNT,
            {"restriction": "locked"},
            "account",
            WRONG,
            ("may not send (health BLOCKED)", "appeal, or pay"),
            id="locked",
        ),
        pytest.param(
            ACCOUNT,
            {"business_verification_status": "not_verified"},
            "account",
            NOTE,
            ("business not verified", "Security centre"),
            id="not verified",
        ),
        pytest.param(
            ACCOUNT,
            {"subscribed": False},
            "app",
            WRONG,
            (
                f"is not subscribed to account {NUMBER.waba}: no webhook comes",
                "type the same again with --subscribe",
            ),
            id="app not subscribed",
        ),
        pytest.param(
            "app",
            {"fields": ["account_update"]},
            "app",
            WRONG,
            ("not subscribed to messages", "tick messages"),
            id="no messages",
        ),
        pytest.param(
            "app",
            {"fields": ALL_BUT},
            "app",
            NOTE,
            ("not of user_preferences", "tick these"),
            id="a field less",
        ),
        pytest.param(
            ACCOUNT,
            {"disable_marketing_messages_on_cloud_api": True},
            "marketing",
            WRONG,
            ("no marketing over the Cloud API", "131063"),
            id="marketing off",
        ),
        pytest.param(
            ACCOUNT,
            {"marketing_messages_onboarding_status": "ELIGIBLE"},
            "marketing",
            NOTE,
            ("not onboarded to the Marketing Messages API (eligible)", "accept its terms"),
            id="marketing not onboarded",
        ),
    ],
)
async def test_what_is_wrong_at_the_platform_is_one_line_with_its_mend(
    platform: Platform, what: str, patch: dict[str, Any], name: str, mark: str, says: tuple[str, str]
) -> None:
    await platform.turn(what, **patch)
    printed = await platform.looked()
    shown = printed.of(name)
    assert shown[0] == mark, printed.lines
    assert says[0] in shown[1]
    assert says[1] in shown[2]
    assert is_ready(printed.found) is (mark != WRONG)


@pytest.mark.parametrize(
    ("told", "name", "mark", "seen", "mend"),
    [
        pytest.param(
            {"token": "nobody's"}, "token", WRONG, "not valid: code 190", "Generate token", id="no token"
        ),
        pytest.param(
            {"app_id": "55"}, "token", WRONG, "not of 55", "say --app-id 1093021540000001", id="other app"
        ),
        pytest.param(
            {"number": "777"},
            "number",
            WRONG,
            "777 is not shown, code 100",
            "take the phone number id",
            id="id",
        ),
        pytest.param(
            {"verify_token": "another"},
            "callback",
            WRONG,
            "does not know the verify token (403)",
            "GARBO_WHATSAPP_VERIFY_TOKEN",
            id="verify token",
        ),
        pytest.param(
            {"verify_token": None},
            "callback",
            SKIPPED,
            "the verify token is not told",
            "say --verify-token-file FILE",
            id="verify token untold",
        ),
        pytest.param(
            {"app_secret": "wrong"},
            "app secret",
            WRONG,
            "it is not the secret of app 1093021540000001 (code 190",
            "App settings, Basic",
            id="app secret",
        ),
        pytest.param(
            {"app_secret": None}, "app secret", SKIPPED, "is not told", "say --app-secret-file", id="untold"
        ),
    ],
)
async def test_what_is_told_wrong_is_one_line_with_its_mend(
    platform: Platform, told: dict[str, Any], name: str, mark: str, seen: str, mend: str
) -> None:
    printed = await platform.looked(**told)
    shown = printed.of(name)
    assert shown[0] == mark, printed.lines
    assert seen in shown[1]
    assert mend in shown[2]


async def test_platform_that_is_not_there_is_said_and_every_line_still_stands(platform: Platform) -> None:
    printed = await platform.looked(url=f"http://127.0.0.1:{free_port()}")
    assert [one.name for one in printed.found] == list(NAMES)
    assert "does not answer (ConnectError)" in printed.of("token")[1]
    assert printed.of("token")[2] == "check the network, and GARBO_GRAPH_URL"


async def test_token_does_not_travel_in_the_open(platform: Platform) -> None:
    with pytest.raises(StartRefused, match="readable on its way"):
        await platform.looked(url="http://graph.example")


async def test_account_without_templates_is_said(platform: Platform) -> None:
    shelf = platform.running.world.accounts.shelves[NUMBER.waba]
    for template in shelf:
        shelf.remove(template)
    assert (await platform.looked()).of("templates")[:2] == (NOTE, "there are none")
