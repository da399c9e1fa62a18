"""Read marks: whose they are, a slot of the number's rate for each, twice at most, and never for long."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from garbo.common.business import Business
from garbo.common.errors import Reject, RetryLater
from garbo.common.events.reads import ReadRequested
from garbo.sender.domain.outcomes import Answer, Answered, Broke
from garbo.sender.domain.read_marks import MarkOutcome, outcome_of_mark
from garbo.sender.flow.read_marks import MarkRead
from garbo.sender.outbound.graph import GraphClient
from garbo.sender.outbound.whatsapp import proof_params
from garbo.sender.outbound.whatsapp_reads import WhatsAppReads
from garbo.sender.ports.rates import Lease, NoLease
from libs.common.tests.support.clock import FixedClock
from services.sender.tests.support.fakes import MemoryRates
from services.sender.tests.support.graph import Reply, fake_graph

AT = datetime(2026, 6, 5, 10, 0, tzinfo=UTC)
DONE = Answered(200, {"success": True})
FILE: dict[str, Any] = {
    "brands": [
        {"id": one, "care_number": n, "promo_number": n} for one, n in (("acme", "100"), ("bella", "200"))
    ],
    "numbers": [
        {"id": n, "display": "+39 02 1", "waba": "2", "brand": one, "token": "t"}
        for one, n in (("acme", "100"), ("bella", "200"))
    ],
    "clients": [{"id": "desk", "brands": ["acme"], "purposes": ["care"], "keys_sha256": []}],
}


@dataclass
class Platform:
    """Answers from a list, then that all is well."""

    answers: list[Answer] = field(default_factory=list)
    told: list[tuple[str, bool]] = field(default_factory=list)

    async def mark(self, event: ReadRequested, *, typing: bool) -> Answer:
        self.told.append((event.message_id, typing))
        return self.answers.pop(0) if self.answers else DONE


@dataclass
class NoRates:
    """Gives no lease, and lets a clock go on meanwhile."""

    seconds: float = 0.0
    asked: int = 0

    async def acquire(
        self,
        number: str,  # noqa: ARG002 - the port's form
        *,
        ceiling_per_s: float,  # noqa: ARG002
        wanted: int,  # noqa: ARG002
        ready_in_s: float,  # noqa: ARG002
    ) -> Lease | NoLease:
        self.asked += 1
        self.seconds += 4
        return NoLease(0.0)


class BrokenRates(NoRates):
    """Cannot be reached."""

    async def acquire(self, *_: object, **__: object) -> Lease | NoLease:
        raise RetryLater("database")


def read(message: str = "wamid.x", **more: object) -> ReadRequested:
    asked = {"client": "desk", "number": "100", "message_id": message, "requested_at": AT}
    return ReadRequested.model_validate(asked | more)


def marking(platform: Platform, *, rates: Any = None, after_s: float = 0.0) -> MarkRead:  # noqa: ANN401 - a port
    loop = asyncio.get_running_loop()
    clock = rates if isinstance(rates, NoRates) else None
    return MarkRead(
        business=lambda: Business.model_validate(FILE),
        slots=rates or MemoryRates(loop.time),
        platform=platform,
        clock=FixedClock(AT + timedelta(seconds=after_s)),
        now=(lambda: clock.seconds) if clock else loop.time,
    )


async def told(platform: Platform, *asked: ReadRequested, **more: Any) -> dict[str, int]:  # noqa: ANN401
    counted = await marking(platform, **more).mark(asked)
    return {outcome: count for outcome, count in counted.items() if count}


async def test_each_mark_is_told_once_in_a_slot_of_its_number() -> None:
    platform, rates = Platform(), MemoryRates(asyncio.get_running_loop().time)
    asked = [read(f"wamid.{n}", typing=n == 0) for n in range(3)]
    assert await told(platform, *asked, rates=rates) == {"marked": 3}
    assert sorted(platform.told) == [("wamid.0", True), ("wamid.1", False), ("wamid.2", False)]
    assert rates.tat["100"] > 0


async def test_newest_of_a_message_speaks_for_it() -> None:
    platform = Platform()
    assert await told(platform, read(), read(typing=True)) == {"marked": 1, "repeated": 1}
    assert platform.told == [("wamid.x", True)]


@pytest.mark.parametrize(
    ("after_s", "counted", "calls"),
    [
        (24, {"marked": 1}, [("wamid.x", True)]),
        (25, {"marked": 1}, [("wamid.x", False)]),
        (300, {"too_old": 1}, []),
    ],
    ids=["typing", "typing is over", "too old"],
)
async def test_what_is_late_is_told_without_typing_or_not_at_all(
    after_s: float, counted: dict[str, int], calls: list[tuple[str, bool]]
) -> None:
    platform = Platform()
    assert await told(platform, read(typing=True), after_s=after_s) == counted
    assert platform.told == calls


@pytest.mark.parametrize(
    ("answers", "counted", "calls"),
    [
        pytest.param([Broke("timeout"), DONE], "marked", 2, id="an unclear answer is asked again"),
        pytest.param([Answered(500, None), Broke("unreachable"), DONE], "failed", 2, id="twice at most"),
        pytest.param([Answered(400, {"error": {"code": 131009}})], "refused", 1, id="a refusal stands"),
        pytest.param([Answered(429, {"error": {"code": 130429}})], "refused", 1, id="too fast is no reason"),
    ],
)
async def test_mark_is_tried_twice_at_most(answers: list[Answer], counted: str, calls: int) -> None:
    platform = Platform(answers)
    assert await told(platform, read()) == {counted: 1}
    assert len(platform.told) == calls


async def test_mark_without_a_slot_in_time_gives_way() -> None:
    platform, rates = Platform(), NoRates()
    assert await told(platform, read(), read("wamid.y"), rates=rates) == {"no_slot": 2}
    assert (platform.told, rates.asked) == ([], 3)


async def test_mark_gives_way_where_rates_cannot_be_reached() -> None:
    platform = Platform()
    assert await told(platform, read(), rates=BrokenRates()) == {"no_slot": 1}
    assert platform.told == []


@pytest.mark.parametrize(
    ("more", "why"),
    [
        pytest.param({"client": "nobody"}, "unknown_client", id="client"),
        pytest.param({"number": "300"}, "unknown_number", id="number"),
        pytest.param({"number": "200"}, "brand_not_allowed", id="another brand's number"),
    ],
)
async def test_mark_that_is_not_its_clients_is_refused_before_anything_is_told(
    more: dict[str, str], why: str
) -> None:
    platform = Platform()
    with pytest.raises(Reject, match=why):
        await told(platform, read(), read("wamid.y", **more))
    assert platform.told == []


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (DONE, "marked"),
        (Answered(200, {"success": False}), "refused"),
        (Answered(200, None), "refused"),
        (Answered(400, {"error": {"code": 131000}}), "again"),
        (Answered(404, None), "refused"),
        (Answered(503, None), "again"),
        (Answered(500, {"error": {"code": 131009}}), "refused"),
        (Broke("broken"), "again"),
    ],
)
def test_answer_says_what_became_of_a_mark(answer: Answer, outcome: MarkOutcome) -> None:
    assert outcome_of_mark(answer) == outcome


@pytest.mark.parametrize("secret", [None, "app-secret"])
async def test_mark_is_posted_with_the_numbers_token_and_the_apps_proof(secret: str | None) -> None:
    async with fake_graph() as graph:
        client = GraphClient(
            url=graph.url, version="v25.0", token_of={"100": "token-one"}.get, app_secret=secret
        )
        reads = WhatsAppReads(client)
        assert await reads.mark(read(), typing=False) == Broke("unreachable")
        await client.start()
        try:
            graph.script = [Reply("hang_up")]
            assert await reads.mark(read(), typing=False) == Broke("broken")
            assert await reads.mark(read(), typing=True) == DONE
            assert await reads.mark(read(number="200"), typing=True) == Broke("unreachable")
        finally:
            await client.stop()
    proof = "&".join(f"{key}={value}" for key, value in proof_params("token-one", secret).items())
    assert graph.paths[-1] == "/v25.0/100/messages" + (f"?{proof}" if secret else "")
    assert graph.tokens[-1] == "Bearer token-one"
    assert graph.posts[-1]["typing_indicator"] == {"type": "text"}
