"""Examples of what is told of running an installation."""

from datetime import datetime, timedelta

from garbo.common.events.operators import OperatorActed
from garbo.common.events.pauses import PauseChanged


def a_pause(*, waba: str, at: datetime) -> PauseChanged:
    """Tell that the platform paused a template."""
    return PauseChanged(
        change="paused",
        scope="template",
        name=f"{waba}:summer_sale:it",
        source="platform",
        reason="template_paused",
        by="message_template_status_update",
        changed_at=at,
        until=at + timedelta(hours=3),
    )


def an_act(*, at: datetime) -> OperatorActed:
    """Tell that somebody discarded two dead letters."""
    return OperatorActed(
        action="letters_discarded",
        service="router",
        by="anna",
        choice="--reason invalid:to.phone --publisher shop",
        why="the shop sent them anew",
        letters=("0/17", "2/4"),
        acted_at=at,
    )
