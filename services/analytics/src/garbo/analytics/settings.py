"""What an analytics process is told."""

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from garbo.common.errors import StartRefused
from garbo.common.runtime.door.keyless import OpenTo
from garbo.common.runtime.live import WithPlatform
from garbo.common.runtime.settings import Port, WithHttp, WithKafka, WithPostgres


class AnalyticsSettings(WithPlatform, WithKafka, WithPostgres, WithHttp):
    """`GARBO_ANALYTICS_*`, and what all services share."""

    service: ClassVar[str] = "analytics"

    port: Port = 8081
    config: Path
    """The business file (`GARBO_CONFIG`): whose keys may ask, and for which brands."""
    open_to: OpenTo = "loopback"
    """Who may ask without a key, and so use the console: `loopback`, this machine, under a loopback name and
    through no proxy; `gateway`, the host of the demo's container as well; `nobody`."""
    subscribers_count: Annotated[int, Field(ge=1, le=1000)] = 64
    """How many consoles may watch live at once; one more gets 503."""
    keep_days: Annotated[int, Field(ge=31, le=3650)] = 90
    """Days that facts, and counts a minute, are kept: longer than any record about them may still come."""

    def refuse_unsafe(self) -> None:
        """Raise `StartRefused` where people are reached and the demo's door stands open."""
        super().refuse_unsafe()
        if self.live and self.open_to == "gateway":
            raise StartRefused(
                "GARBO_ANALYTICS_OPEN_TO is gateway, which is for the demo, but GARBO_GRAPH_URL"
                f" ({self.graph_url}) reaches people: set loopback or nobody."
            )
