"""What operators do is put on record before it is done: `garbo.operator.acted.v1`."""

import getpass
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from garbo.cli.cluster import producer_of
from garbo.common.errors import RetryLater, StartRefused
from garbo.common.events.operators import MAX_LETTERS, OperatorActed, OperatorAction
from garbo.common.events.topics import OPERATOR_ACTED, OPERATORS
from garbo.common.runtime.broker import KafkaSettings
from garbo.common.runtime.outgoing import outgoing

OPERATOR: Final = "GARBO_OPERATOR"
UNKNOWN: Final = "unknown"
ByOption = Annotated[
    str | None, typer.Option("--by", help=f"Who does it; else {OPERATOR}, or who is logged in.")
]


@dataclass(frozen=True, slots=True)
class Operator:
    """Who acts, and where it is put on record."""

    name: str
    kafka: KafkaSettings

    async def account(
        self,
        action: OperatorAction,
        service: str,
        *,
        choice: str,
        why: str | None = None,
        letters: Sequence[str] = (),
    ) -> None:
        """Return once it is on record; raises `StartRefused` where that cannot be: then it is not done."""
        now = datetime.now(UTC)
        acted = [
            OperatorActed(
                action=action,
                service=service,
                by=self.name,
                choice=choice[:1000],
                why=why,
                letters=tuple(letters[first : first + MAX_LETTERS]),
                acted_at=now,
            )
            for first in range(0, max(1, len(letters)), MAX_LETTERS)
        ]
        records = [outgoing(OPERATOR_ACTED, one, key=service, source=OPERATORS) for one in acted]
        try:
            async with producer_of(self.kafka) as producer:
                await producer.publish(records)
        except RetryLater as later:
            raise StartRefused(
                f"{OPERATOR_ACTED.name} does not take who does this ({later.why}), so it is not done: "
                "type garbo topics apply, or let an operator do it (runbook, Kafka: topics and rights)"
            ) from None


def operator_of(env: Mapping[str, str], kafka: KafkaSettings, by: str | None) -> Operator:
    """Name whoever types: as they say, else as the environment or the machine does."""
    return Operator((by or env.get(OPERATOR) or _logged_in())[:200], kafka)


def _logged_in() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return os.environ.get("HOSTNAME", UNKNOWN)  # a container's user may have no name
