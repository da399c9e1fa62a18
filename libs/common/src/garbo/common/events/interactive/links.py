"""One button that opens a web page.

Source: Meta, Cloud API reference "Interactive call-to-action URL button messages" (read 2026-11).
"""

from typing import Literal

from garbo.common.events.base import Part
from garbo.common.events.interactive.parts import Title, WithBody
from garbo.common.events.shown_text import Url


class LinkParameters(Part):
    """What stands on the button, and what it opens."""

    display_text: Title
    url: Url


class LinkAction(Part):
    """The link."""

    name: Literal["cta_url"]
    parameters: LinkParameters


class LinkMessage(WithBody):
    """A message with a link."""

    type: Literal["cta_url"]
    action: LinkAction
