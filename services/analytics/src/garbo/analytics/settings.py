"""What an analytics process is told."""

from typing import Annotated, ClassVar

from pydantic import Field

from garbo.common.runtime.live import WithPlatform
from garbo.common.runtime.settings import Port, WithHttp, WithKafka, WithPostgres


class AnalyticsSettings(WithPlatform, WithKafka, WithPostgres, WithHttp):
    """`GARBO_ANALYTICS_*`, and what all services share."""

    service: ClassVar[str] = "analytics"

    host: str = "127.0.0.1"
    """Where the console and the query API listen. They show no person's data, but they ask no key either."""
    port: Port = 8081
    subscribers_count: Annotated[int, Field(ge=1, le=1000)] = 64
    """How many consoles may watch live at once; one more gets 503."""
    keep_days: Annotated[int, Field(ge=31, le=3650)] = 90
    """Days that facts, and counts a minute, are kept: longer than any record about them may still come."""
