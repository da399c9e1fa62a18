"""How much of its calls app and account have used, as the platform tells in headers of its answers.

Source: Meta, Graph API "Rate limits": `X-App-Usage`, `X-Business-Use-Case-Usage` (read 2026-11).
"""

import orjson

from garbo.simulator.control import Control
from garbo.simulator.graph.errors import GraphError, Refusal, graph_error
from garbo.simulator.graph.http import Header
from garbo.simulator.graph.limits import HOUR_NS, Windows
from garbo.simulator.instants import now_ns

FULL: int = 100


class Usage:
    """Counts calls to read and set, by account."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._calls = Windows(HOUR_NS)

    def take(self, waba: str) -> None:
        """Count one call; raises `Refusal` above the limit."""
        limits = self._control.state.limits
        if limits.app_usage >= FULL:
            raise Refusal(graph_error(4))
        if self._percent(waba) >= FULL:
            raise Refusal(graph_error(80007))
        self._calls.note(waba, now_ns())

    def headers(self, waba: str) -> list[Header]:
        """Tell how much is used."""
        limits, percent = self._control.state.limits, self._percent(waba)
        app = {"call_count": limits.app_usage, "total_cputime": 0, "total_time": 0}
        regain = limits.regain_minutes if percent >= FULL else 0
        one = {"type": "whatsapp", "call_count": percent, "total_cputime": 0, "total_time": 0}
        told = {waba: [one | {"estimated_time_to_regain_access": regain}]}
        return [
            (b"x-app-usage", orjson.dumps(app)),
            (b"x-business-use-case-usage", orjson.dumps(told)),
        ]

    def of_refusal(self, waba: str, error: GraphError) -> list[Header]:
        """Give the headers of a refusal: usage where a call limit is meant, now and then `Retry-After`."""
        limits = self._control.state.limits
        headers = self.headers(waba) if error.code in (4, 80007) else []
        if error.code in _SECONDS and limits.retry_after_ratio > self._control.die():
            seconds = limits.regain_minutes * 60 if error.code in (4, 80007) else _SECONDS[error.code]
            headers.append((b"retry-after", str(seconds).encode()))
        return headers

    def _percent(self, waba: str) -> int:
        limits = self._control.state.limits
        counted = self._calls.count(waba, now_ns()) * FULL // limits.account_calls_per_hour
        return max(limits.account_usage, counted)


_SECONDS = {4: 0, 80007: 0, 130429: 1, 131056: 6, 131057: 30, 131016: 2}
"""What `Retry-After` says, by code."""
