"""`/v1/policies`: what another policy would have made of the past."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from garbo.common.business import Client
from garbo.common.events.instants import Instant
from garbo.common.events.requests import Name
from garbo.common.runtime.auth import CallRefused, read_as, read_json
from garbo.common.runtime.operations import Answer, operation
from garbo.router.flow.directory import Directory
from garbo.router.flow.policy_in_force import PolicyInForce
from garbo.router.flow.visibility import Viewer
from garbo.router.inbound.http.json_lines import JsonLines
from garbo.router.inbound.http.views.simulation import SimulationReport
from garbo.router.inbound.http.views.view import View

Simulate = Callable[[bytes], AsyncGenerator[bytes]]
"""Runs a job in a process of its own and gives its lines; closing it ends the process."""

USUAL_PERIOD: Final = timedelta(days=7)
LONGEST_PERIOD: Final = timedelta(days=92)
MOST_POLICY_CHARS: Final = 256 * 1024


class SimulationAsked(BaseModel):
    """Another policy, and which part of the past to replay."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    policy: Annotated[str, Field(min_length=1, max_length=MOST_POLICY_CHARS)]
    """The policy file as it is written: YAML."""
    since: Instant | None = None
    """Requests decided from here on are compared; 7 days before `until` when absent."""
    until: Instant | None = None
    """Now when absent."""
    warm_up_s: Annotated[int, Field(ge=0, le=90 * 24 * 3600)] = 0
    """Requests of so long before `since` are replayed too: they fill caps and are not counted."""
    brand: Name | None = None
    """Compare the requests of one brand, else of all the key has; those of others still fill shared caps."""


class SimulationProgress(View):
    """A line on the way."""

    kind: Literal["progress"]
    done: int
    total: int
    """Requests."""


class SimulationFailed(View):
    """The last line, when there is no report."""

    kind: Literal["failed"]
    detail: str


class PolicySimulations:
    """`POST /v1/policies:simulate`: scope `simulate`; one at a time."""

    def __init__(self, *, policies: PolicyInForce, directory: Directory, simulate: Simulate) -> None:
        self._policies, self._directory, self._simulate = policies, directory, simulate
        self._running = False

    @operation(
        "POST",
        "/v1/policies:simulate",
        scope="simulate",
        body=SimulationAsked,
        answers={
            200: Answer(
                SimulationProgress | SimulationReport | SimulationFailed,
                "One line of JSON after the other; `kind` says which.",
                "application/x-ndjson",
            )
        },
        errors={
            422: "It is no policy: `errors` has all that is wrong, with lines.",
            429: "Another one runs.",
        },
    )
    async def simulate_policy(self, request: Request, client: Client) -> Response:
        """Tell what another policy would have made of the past.

        Replays stored requests under the policy in force and under the one given, the same way, and compares.
        Runs in a process of its own, one at a time; who hangs up ends it. Answers lines of JSON: `progress`
        some times, then `report` or `failed`.
        """
        asked = read_as(SimulationAsked, read_json(request), title="Not a simulation")
        if asked.brand not in (None, *client.brands):
            raise CallRefused(403, "Not your brand", "The key's client does not have this brand.")
        job = _job(asked, self._directory.viewer(client.id), current_version=self._policies.current.version)
        if self._running:
            raise _busy()
        self._running = True
        lines = self._simulate(job)

        async def end() -> None:
            try:
                await lines.aclose()
            finally:
                self._running = False

        try:
            first = await anext(lines, b"")
            _refuse(first)
        except BaseException:
            await end()
            raise
        return JsonLines(first, lines, end=end)


def _job(asked: SimulationAsked, viewer: Viewer, *, current_version: str) -> bytes:
    """Write the job for the other process; raises `CallRefused` when the period cannot be."""
    until = asked.until or datetime.now(UTC)
    since = asked.since or until - USUAL_PERIOD
    if not timedelta() < until - since <= LONGEST_PERIOD:
        detail = f"`since` must be before `until`, by {LONGEST_PERIOD.days} days at most."
        raise CallRefused(422, "Not a period", detail, field="since")
    return orjson.dumps(
        {
            "policy": asked.policy,
            "current_version": current_version,
            "since": since,
            "until": until,
            "warm_up_s": asked.warm_up_s,
            "brands": _brands(asked, viewer),
        }
    )


def _brands(asked: SimulationAsked, viewer: Viewer) -> list[str] | None:
    """Give the brands to compare; None for all there are."""
    if asked.brand is not None:
        return [asked.brand]
    return None if viewer.has_every_brand else sorted(viewer.brands)


def _refuse(first: bytes) -> None:
    """Raise `CallRefused` when the other process refused the job in its first line."""
    line = orjson.loads(first or b"{}")
    match line.get("kind"):
        case "progress" | "report":
            return
        case "refused":
            raise CallRefused(422, "Not a policy", "; ".join(line["faults"]), errors=line["faults"])
        case "busy":
            raise _busy()
        case _:
            raise CallRefused(503, "Not now", "The simulation could not start: try again in a minute.")


def _busy() -> CallRefused:
    refusal = CallRefused(429, "One at a time", "Another simulation runs: try again when it has ended.")
    refusal.answer.headers["retry-after"] = "30"
    return refusal
