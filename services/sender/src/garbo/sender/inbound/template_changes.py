"""What the platform says of templates, as a reason to read them anew."""

from collections.abc import Sequence
from typing import Any, Final

from garbo.common.events.platform import PlatformChange
from garbo.common.events.topics import PLATFORM_CHANGE
from garbo.common.runtime.deliver import Delivered, Lane
from garbo.sender.flow.templates import FollowTemplates

_OF_TEMPLATES: Final = ("message_template_", "template_")
"""How the webhook fields begin that are about templates."""


def template_changes(follow: FollowTemplates) -> Lane[Any]:
    """Give the lane. One process of the group hears each change; what it forgets by dying, a start reads."""

    async def note(batch: Sequence[Delivered[PlatformChange]]) -> None:
        for record in batch:
            if record.event.field.startswith(_OF_TEMPLATES):
                follow.changed(record.event.waba)

    return Lane("sender.changes", (PLATFORM_CHANGE,), note)
