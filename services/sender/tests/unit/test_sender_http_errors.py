"""Every class of httpx's and aiohttp's exceptions, raised where a call is under way."""

import aiohttp
import httpx
import pytest

from garbo.sender.domain.outcomes import Broke, Unknown, judge
from garbo.sender.outbound.whatsapp import WhatsAppApi
from libs.common.tests.support.errors import every_error, made
from services.sender.tests.support.builders import NUMBER, a_grant

CLASSES = [
    *every_error(httpx),
    *(error for error in every_error(aiohttp) if issubclass(error, aiohttp.ClientError)),
    *(OSError, ConnectionResetError, UnicodeDecodeError),
]
NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.InvalidURL)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: f"{error.__module__}.{error.__name__}")
async def test_no_error_of_a_call_is_taken_for_a_bug_or_for_a_refusal(error: type[Exception]) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise made(error)

    api = WhatsAppApi(url="http://localhost", version="v25.0", tokens={NUMBER: "token"})
    api._client = httpx.AsyncClient(transport=httpx.MockTransport(fail))
    answer = await api.post(a_grant(), attempt_id="a.1")
    assert isinstance(answer, Broke)
    assert isinstance(judge(answer), Unknown) is not issubclass(error, NEVER_LEFT)
