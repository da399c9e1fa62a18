"""The way back, made to fail against the running simulator and an ingest of ours: its lines and mends."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from libs.cli.tests.support.platform import Platform, running_platform
from libs.simulator.tests.support.world import NUMBER, free_port

pytestmark = pytest.mark.integration

THIS, ACCOUNT = f"numbers/{NUMBER.id}", f"accounts/{NUMBER.waba}"
WRONG: Final = "✗"
RIGHT: Final = "✓"


@pytest.fixture
async def platform(tmp_path: Path) -> AsyncIterator[Platform]:
    async with running_platform(tmp_path) as running:
        yield running


async def test_callback_that_is_not_there_or_another_is_said(platform: Platform) -> None:
    gone = f"http://127.0.0.1:{free_port()}/webhooks/whatsapp"
    printed = await platform.looked(callback=gone)
    assert "does not answer (ConnectError)" in printed.of("callback")[1]
    assert "reached from the internet" in printed.of("callback")[2]
    assert "does not answer" in printed.of("app secret")[1]
    printed = await platform.looked(callback="http://shop.example/webhooks/whatsapp")
    assert printed.of("callback")[1] == "http://shop.example/webhooks/whatsapp is not https"
    assert "a proxy with TLS" in printed.of("callback")[2]
    elsewhere = platform.callback.replace("/webhooks/whatsapp", "/nowhere")
    printed = await platform.looked(callback=elsewhere)
    assert "answers 404 and not the challenge" in printed.of("callback")[1]
    await platform.turn(THIS, override_callback_uri="https://other.example/hook")
    printed = await platform.looked(callback=platform.callback)
    assert "the platform calls https://other.example/hook" in printed.of("callback")[1]
    assert f"set {platform.callback}" in printed.of("callback")[2]
    await platform.turn(THIS, override_callback_uri="")
    await platform.turn("app", callback_url="")
    printed = await platform.looked()
    assert printed.of("callback")[1] == "no address is set"


async def test_callback_that_takes_any_signature_and_one_with_another_secret_are_said(
    platform: Platform, tmp_path: Path
) -> None:
    printed = await platform.looked(callback=platform.unchecked)
    assert "a wrongly signed webhook is answered 200" in printed.of("app secret")[1]
    assert "let the callback be ingest's" in printed.of("app secret")[2]
    (tmp_path / "two").mkdir()
    async with running_platform(tmp_path / "two", app_secret="0" * 32) as other:
        printed = await other.looked()
    assert "ingest refuses what this secret signs (401)" in printed.of("app secret")[1]
    assert "GARBO_WHATSAPP_APP_SECRETS" in printed.of("app secret")[2]


async def test_subscribe_mends_the_subscription(platform: Platform) -> None:
    await platform.turn(ACCOUNT, subscribed=False)
    assert (await platform.looked()).of("app")[0] == WRONG
    assert (await platform.looked(subscribe=True)).of("app")[0] == RIGHT
    assert (await platform.looked()).of("app")[0] == RIGHT


async def test_app_that_demands_proofs_is_given_them_and_the_sender_s_part_is_said(
    platform: Platform,
) -> None:
    await platform.turn("app", require_proof=True)
    printed = await platform.looked()
    mark, seen, mend = printed.of("app secret")
    assert (mark, mend) == ("!", "give the sender the secret, too: GARBO_GRAPH_APP_SECRET")
    assert "the app demands it as a proof of each call" in seen
    assert [one.name for one in printed.found if one.state == "wrong"] == []
    assert (await platform.looked(proves=True)).of("app secret")[0] == RIGHT
    untold = await platform.looked(app_secret=None)
    assert "appsecret_proof" in untold.of("token")[1]
    assert untold.of("token")[2] == "the app demands proofs of its secret: say --app-secret-file FILE"
    assert "appsecret_proof" in (await platform.looked(app_secret="wrong")).of("number")[1]
