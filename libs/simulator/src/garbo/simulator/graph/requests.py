"""What a request to `/messages` asks for, or which error it gets. Pure: no clock, no state.

Source: Meta, Cloud API reference "Messages" (read 2026-09).
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from garbo.simulator.graph.accounts import Accounts, SendingNumber, Template
from garbo.simulator.graph.errors import GraphError, graph_error
from garbo.simulator.population.reactions import Button

MAX_TEXT_CHARS: Final = 4096
MAX_CALLBACK_CHARS: Final = 512
MAX_CAPTION_CHARS: Final = 1024

_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_USER_ID = re.compile(r"[A-Z]{2}\.[A-Za-z0-9.]{1,140}")
_MEDIA = frozenset({"image", "audio", "video", "document", "sticker"})
_SHALLOW = frozenset({"interactive", "location", "reaction"})
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

    @property
    def category(self) -> str:
        """The price category, lower case; free-form is `service`."""
        return self.template.category.lower() if self.template else FREE_FORM_CATEGORY


@dataclass(frozen=True, slots=True)
class MarkRead:
    """The business saw a customer's message."""

    message_id: str


Asked = Send | MarkRead | GraphError


def read_request(body: object, number: SendingNumber, accounts: Accounts) -> Asked:
    """Check a parsed body the way Meta does, shallowly inside the rarer types."""
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
    content = _content(kind, body, accounts)
    if isinstance(content, GraphError):
        return content
    context = body.get("context")
    reply_to = context.get("message_id") if isinstance(context, dict) else None
    return Send(recipient, kind, content, opaque, reply_to, _buttons(body.get("interactive")))


def _read_mark(body: dict[str, Any]) -> MarkRead | GraphError:
    message_id = body.get("message_id")
    if not isinstance(message_id, str) or not message_id.startswith("wamid."):
        return graph_error(131009, "message_id must be the id of a received message.")
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


def _content(kind: str, body: dict[str, Any], accounts: Accounts) -> Template | GraphError | None:
    if kind not in _CHECKS:
        return graph_error(131051)
    block = body.get(kind)
    if not block or not isinstance(block, dict | list):
        return graph_error(131008, f"The parameter {kind} is required.")
    if kind == "template":
        return _template(block, accounts)
    if isinstance(block, list):
        return None if kind == "contacts" else graph_error(100, f"{kind} must be an object.")
    return _text(block) if kind == "text" else _shallow(kind, block)


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


def _text(block: dict[str, Any]) -> GraphError | None:
    text = block.get("body")
    if not isinstance(text, str) or not text.strip():
        return graph_error(100, "The parameter text['body'] is required.")
    if len(text) > MAX_TEXT_CHARS:
        return graph_error(100, "Param text['body'] must be at most 4096 characters long.")
    return None


def _shallow(kind: str, block: dict[str, Any]) -> GraphError | None:
    if kind in _MEDIA and ("id" in block) == ("link" in block):
        return graph_error(100, f"{kind} needs exactly one of id and link.")
    if len(str(block.get("caption", ""))) > MAX_CAPTION_CHARS:
        return graph_error(100, "Param caption must be at most 1024 characters long.")
    return None


def _template(block: object, accounts: Accounts) -> Template | GraphError:
    if not isinstance(block, dict):
        return graph_error(100, "template must be an object.")
    language = block.get("language")
    if not isinstance(language, dict) or not isinstance(block.get("name"), str):
        return graph_error(131008, "A template needs name and language.")
    name, code = block["name"], str(language.get("code"))
    template = accounts.template(name, code)
    if template is None:
        return graph_error(132001, f"template name ({name[:60]}) does not exist in {code[:16]}")
    given = _body_parameters(block.get("components") or ())
    if given is None:
        return graph_error(132012)
    if given != template.parameters:
        wanted = template.parameters
        details = f"body: number of localizable_params ({given}) does not match the expected ({wanted})"
        return graph_error(132000, details)
    return template


def _body_parameters(components: object) -> int | None:
    """Count the values given to the body; None when they have no readable form."""
    if not isinstance(components, list | tuple):
        return None
    count = 0
    for component in components:
        parameters = component.get("parameters", ()) if isinstance(component, dict) else None
        if not isinstance(parameters, list | tuple):
            return None
        if str(component.get("type")).lower() == "body":
            count += len(parameters)
    return count


_CHECKS: Final = frozenset({"text", "template", "contacts"}) | _MEDIA | _SHALLOW
