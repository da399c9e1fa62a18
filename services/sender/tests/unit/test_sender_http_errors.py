"""Every class of httpx's and aiohttp's exceptions, raised where a call is under way."""

import hmac
from hashlib import sha256

import aiohttp
import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from garbo.sender.domain.outcomes import Broke, Unknown, judge
from garbo.sender.outbound.whatsapp import WhatsAppApi
from libs.common.tests.support.errors import every_error, made
from services.sender.tests.support.builders import NUMBER, a_grant, a_send
from services.sender.tests.support.graph import fake_graph

CLASSES = [
    *every_error(httpx),
    *(error for error in every_error(aiohttp) if issubclass(error, aiohttp.ClientError)),
    *(OSError, ConnectionResetError, UnicodeDecodeError),
]
NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.InvalidURL)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: f"{error.__module__}.{error.__name__}")
async def test_no_error_of_a_call_is_taken_for_a_bug_or_for_a_refusal(error: type[Exception]) -> None:
    class Failing(AiohttpTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            del request
            raise made(error)

    api = WhatsAppApi(url="http://localhost", version="v25.0", tokens={NUMBER: "token"})
    api._way_of(NUMBER, "messages").transport = Failing(client=aiohttp.ClientSession)
    await api.start()
    answer = await api.post(a_send(a_grant()), attempt_id="a.1")
    assert isinstance(answer, Broke)
    assert isinstance(judge(answer), Unknown) is not issubclass(error, NEVER_LEFT)


async def test_before_it_is_open_and_after_it_is_closed_nothing_leaves() -> None:
    api = WhatsAppApi(url="http://localhost:1", version="v25.0", tokens={NUMBER: "token"})
    assert await api.post(a_send(a_grant()), attempt_id="a.1") == Broke("unreachable")
    await api.start()
    await api.stop()
    assert await api.post(a_send(a_grant()), attempt_id="a.1") == Broke("unreachable")


async def test_a_call_carries_the_proof_of_its_token_where_the_app_has_a_secret() -> None:
    async with fake_graph() as graph:
        for secret, tokens in ((None, ["one"]), ("app-secret", ["one", "two"])):
            held = {NUMBER: "one"}
            api = WhatsAppApi(url=graph.url, version="v25.0", tokens=held, app_secret=secret)
            await api.start()
            try:
                for token in tokens:
                    held[NUMBER] = token
                    await api.post(a_send(a_grant()), attempt_id="a.1")
            finally:
                await api.stop()
    path = f"/v25.0/{NUMBER}/messages"
    proofs = [hmac.new(b"app-secret", token, sha256).hexdigest() for token in (b"one", b"two")]
    assert graph.paths == [path, *(f"{path}?appsecret_proof={proof}" for proof in proofs)]
    assert graph.tokens == ["Bearer one", "Bearer one", "Bearer two"]
