"""What a request to `/messages` asks for, or which error it gets. Pure: no clock, no state.

Source: Meta, Cloud API reference "Messages" (read 2026-09).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from garbo.simulator.assets.templates import Shelf, Template
from garbo.simulator.graph.accounts import Accounts, SendingNumber
from garbo.simulator.graph.contents import content_error, known_kind
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.graph.files import File, files_of
from garbo.simulator.graph.templates import read_template
from garbo.simulator.population.reactions import Button

MAX_CALLBACK_CHARS: Final = 512
_TYPING: Final = {"type": "text"}

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,140}")
FREE_FORM_CATEGORY: Final = "service"


@dataclass(frozen=True, slots=True)
class Send:
    """A message the platform may accept."""

    recipient: str
    """E.164 with `+`, or a BSUID."""
    type: str
    template: Template | None
    biz_opaque: str | None
    reply_to: str | None
    buttons: tuple[Button, ...] = ()
    """What an interactive message offers."""
    files: tuple[File, ...] = ()
    """What it shows."""
    flow_id: str | None = None
    """The flow it opens."""
    lite: bool = False
    """It came through the endpoint for marketing alone."""

    @property
    def category(self) -> str:
        """The price category, lower case; free-form is `service`."""
        return self.template.category.lower() if self.template else FREE_FORM_CATEGORY

    @property
    def price_category(self) -> str:
        """The category as statuses name it."""
        return "marketing_lite" if self.lite else self.category


@dataclass(frozen=True, slots=True)
class MarkRead:
    """The business saw a customer's message."""

    message_id: str


Asked = Send | MarkRead | GraphError


def read_request(body: object, number: SendingNumber, accounts: Accounts) -> Asked:
    """Check a parsed body the way Meta does."""
    if not isinstance(body, dict) or body.get("messaging_product") != "whatsapp":
        return graph_error(100, "The parameter messaging_product is required and must be 'whatsapp'.")
    if body.get("status") == "read":
        return _read_mark(body)
    recipient = _recipient(body, number)
    if isinstance(recipient, GraphError):
        return recipient
    opaque = body.get("biz_opaque_callback_data")
    if opaque is not None and not (isinstance(opaque, str) and len(opaque) <= MAX_CALLBACK_CHARS):
        return graph_error(100, "biz_opaque_callback_data must be a string of at most 512 characters.")
    kind = str(body.get("type", "text"))
    content = _content(kind, body, accounts.shelves[number.waba])
    if isinstance(content, GraphError):
        return content
    if content and content.category == "AUTHENTICATION" and "recipient" in body:
        return graph_error(131062)
    context = body.get("context")
    reply_to = context.get("message_id") if isinstance(context, dict) else None
    if kind == "text":
        return Send(recipient, kind, content, opaque, reply_to)
    buttons = _buttons(body["interactive"]) if kind == "interactive" else ()
    flow_id = _flow(kind, body, content)
    return Send(recipient, kind, content, opaque, reply_to, buttons, files_of(kind, body), flow_id)


def _read_mark(body: dict[str, Any]) -> MarkRead | GraphError:
    message_id = body.get("message_id")
    if not isinstance(message_id, str) or not message_id.startswith("wamid."):
        return graph_error(131009, "message_id must be the id of a received message.")
    if body.get("typing_indicator", _TYPING) != _TYPING:
        return graph_error(131009, "typing_indicator must be of type text.")
    return MarkRead(message_id)


def _recipient(body: dict[str, Any], number: SendingNumber) -> str | GraphError:
    to, user_id = body.get("to"), body.get("recipient")
    if (to is None) == (user_id is None):
        return graph_error(100, "Exactly one of the parameters to and recipient is required.")
    if to is None:
        known = isinstance(user_id, str) and _USER_ID.fullmatch(user_id)
        return str(user_id) if known else graph_error(131009, "recipient is not a business-scoped user id.")
    if body.get("recipient_type", "individual") != "individual":
        return graph_error(100, "recipient_type must be individual.")
    if not isinstance(to, str) or not _PHONE.fullmatch(to):
        return graph_error(100, "to must be a phone number with + and its country code.")
    return graph_error(131021) if to[1:] == number.digits else to


def _content(kind: str, body: dict[str, Any], shelf: Shelf) -> Template | GraphError | None:
    if not known_kind(kind):
        return graph_error(131051)
    block = body.get(kind)
    if not block:
        return graph_error(131008, f"The parameter {kind} is required.")
    return read_template(block, shelf) if kind == "template" else content_error(kind, block)


def _buttons(interactive: object) -> tuple[Button, ...]:
    """Read the reply buttons of an interactive message; what is no button is left out."""
    action = interactive.get("action") if isinstance(interactive, dict) else None
    listed = action.get("buttons") if isinstance(action, dict) else None
    replies = (
        [one.get("reply") for one in listed or () if isinstance(one, dict)]
        if isinstance(listed, list)
        else []
    )
    return tuple(Button(str(r.get("id")), str(r.get("title"))) for r in replies if isinstance(r, dict))


def _flow(kind: str, body: dict[str, Any], template: Template | None) -> str | None:
    """Find the flow that a message, or a button of its template, opens."""
    if template is not None:
        parts = [part.get("buttons") or () for part in template.components]
        return next((str(one["flow_id"]) for buttons in parts for one in buttons if "flow_id" in one), None)
    if kind != "interactive" or body[kind].get("type") != "flow":
        return None
    return str(body[kind]["action"]["parameters"].get("flow_id"))
