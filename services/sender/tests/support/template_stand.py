"""Templates of a platform in memory, and what was told of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from garbo.common.errors import RetryLater
from garbo.common.events.template_observed import TemplateObserved
from garbo.common.events.template_registry import TemplateRegistry
from garbo.sender.flow.templates import CannotRead, FollowTemplates
from libs.common.tests.support.clock import FixedClock

WABA = "9001"


def item(name: str = "sale", **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    plain = {"name": name, "language": "it", "status": "APPROVED", "category": "MARKETING", "components": []}
    return {**plain, **more}


@dataclass
class ListedTemplates:
    """A `TemplateLists` that shows what it is told to; numbers in `refused` may not ask."""

    shown: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {WABA: [item()]})
    refused: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def of_account(self, waba: str, *, number: str) -> Sequence[dict[str, Any]]:
        """Show them, or raise `CannotRead`."""
        self.asked.append((waba, number))
        if number in self.refused:
            raise CannotRead(self.refused[number])
        return self.shown[waba]


@dataclass
class ToldTemplates:
    """A `TemplateRecords` whose readers know at once; refuses all while `down`."""

    known: TemplateRegistry
    batches: list[list[TemplateObserved]] = field(default_factory=list)
    down: bool = False

    async def publish(self, records: Sequence[TemplateObserved]) -> None:
        """Keep them, or raise `RetryLater`."""
        if self.down:
            raise RetryLater("down")
        self.batches.append(list(records))
        self.known.apply(records)

    @property
    def told(self) -> list[tuple[str, str | None]]:
        """What was told last of templates: name and status."""
        return [(one.name, one.status) for one in self.batches[-1] if one.name]


@dataclass
class Stand:
    """One process that follows the templates of one account."""

    lists: ListedTemplates = field(default_factory=ListedTemplates)
    known: TemplateRegistry = field(default_factory=TemplateRegistry)
    clock: FixedClock = field(default_factory=FixedClock)
    accounts: dict[str, tuple[str, ...]] = field(default_factory=lambda: {WABA: ("1", "2")})

    def __post_init__(self) -> None:
        self.records = ToldTemplates(self.known)
        self.follow = self.another()

    def another(self) -> FollowTemplates:
        """Give one more process over the same topic."""
        return FollowTemplates(
            accounts=lambda: self.accounts,
            lists=self.lists,
            records=self.records,
            known=self.known,
            clock=self.clock,
            every=timedelta(hours=1),
        )
