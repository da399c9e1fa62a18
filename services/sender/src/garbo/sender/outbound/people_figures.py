"""What is shown of portfolios."""

import math
from typing import Final

from prometheus_client import Gauge

from garbo.sender.domain.portfolios import PeopleLimit

PEOPLE: Final = Gauge(
    "garbo_sender_portfolio_people", "People written to first in the last 24 h", ["portfolio"]
)
LIMIT: Final = Gauge(
    "garbo_sender_portfolio_people_limit", "People who may be written to first in 24 h", ["portfolio"]
)


class PeopleGauges:
    """`PeopleFigures` on Prometheus."""

    def people(self, portfolio: str, *, count: int, limit: PeopleLimit) -> None:
        """Set; no limit is infinite."""
        PEOPLE.labels(portfolio).set(count)
        LIMIT.labels(portfolio).set(math.inf if limit.most is None else limit.most)
