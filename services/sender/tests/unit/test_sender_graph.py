"""Calls beside messages share their connections, and each has its own time and size."""

import asyncio
from pathlib import Path

import pytest

from garbo.sender.domain.outcomes import Answered, Broke
from garbo.sender.flow.file_work import SEATS
from garbo.sender.flow.media_uploads import MOST_AT_ONCE
from garbo.sender.flow.templates import CannotRead
from garbo.sender.inbound.read_marks import MOST_MARKS
from garbo.sender.outbound.whatsapp import MAX_ANSWER_BYTES, WhatsAppApi
from garbo.sender.outbound.whatsapp_templates import WhatsAppTemplates
from libs.common.tests.support.waiting import until
from services.sender.tests.support.builders import NUMBER, a_grant, a_send
from services.sender.tests.support.graph import TOKENS, Reply, a_graph_client, fake_graph
from services.sender.tests.support.lying_hosts import a_host, says, serving
from tests.support.secure_kafka import Authority

ONE_LIMIT = 1
"""Limits of people are asked for one after the other."""
SLOW = MOST_AT_ONCE + SEATS + MOST_MARKS + ONE_LIMIT


async def test_templates_are_read_while_everybody_else_is_slow() -> None:
    async with fake_graph() as platform, a_graph_client(platform.url, TOKENS) as graph:
        platform.script = [Reply("hang")] * SLOW
        calls = [
            asyncio.create_task(graph.ask("POST", "media", number=NUMBER, within_s=600, content=b"{}"))
            for _ in range(SLOW)
        ]
        await until(lambda: len(platform.posts) == SLOW, within_s=20)
        with pytest.raises(CannotRead) as answered:
            await WhatsAppTemplates(graph).of_account("9001", number=NUMBER)
        assert answered.value.why == "code_100"
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)


async def test_each_call_ends_within_its_own_time() -> None:
    async with fake_graph() as platform, a_graph_client(platform.url, TOKENS) as graph:
        platform.script = [Reply("hang")] * 2
        slow = asyncio.create_task(graph.ask("POST", "media", number=NUMBER, within_s=600, content=b"{}"))
        await until(lambda: len(platform.posts) == 1)
        hurried = await graph.ask("POST", "messages", number=NUMBER, within_s=0.05, content=b"{}")
        assert hurried == Broke("timeout")
        assert not slow.done()
        slow.cancel()
        await asyncio.wait([slow])


@pytest.mark.parametrize(("more_bytes", "is_read"), [(0, False), (1, True)])
async def test_answer_is_read_up_to_what_the_call_allows(more_bytes: int, is_read: bool) -> None:
    start, end = b'{"page":"', b'"}'
    page = start + b"x" * (MAX_ANSWER_BYTES + 1 - len(start + end)) + end
    async with fake_graph() as platform, a_graph_client(platform.url, TOKENS) as graph:
        platform.script = [Reply(body=page)]
        answer = await graph.ask(
            "POST",
            "page",
            number=NUMBER,
            within_s=10,
            content=b"{}",
            max_bytes=MAX_ANSWER_BYTES + more_bytes,
        )
    assert isinstance(answer, Answered)
    assert (answer.body is not None) is is_read


async def test_what_an_answer_sets_comes_with_no_other_call() -> None:
    async with fake_graph() as platform, a_graph_client(platform.url, TOKENS) as graph:
        for _ in range(2):
            await graph.ask("POST", "messages", number=NUMBER, within_s=10, content=b'{"status":"read"}')
        assert len(platform.posts) == 2
        assert platform.cookies == []


async def test_nobody_hears_a_token_whose_certificate_is_not_known(tmp_path: Path) -> None:
    stranger = serving(Authority(tmp_path / "stranger"), "127.0.0.1")
    async with a_host(says("200 OK", b"{}"), stranger, "127.0.0.1") as host:
        url = f"https://127.0.0.1:{host.port}"
        async with a_graph_client(url, TOKENS) as graph:
            broke = await graph.ask("POST", "media", number=NUMBER, within_s=10, content=b"{}")
        whatsapp = WhatsAppApi(url=url, version="v25.0", tokens=TOKENS)
        await whatsapp.start()
        sent = await whatsapp.post(a_send(a_grant(number=NUMBER)), attempt_id="one")
        await whatsapp.stop()
    assert isinstance(broke, Broke)
    assert sent == Broke("unreachable")
    assert host.heads == []
