"""Interactive messages: buttons, lists, links, flows, products, with the platform's limits.

Source: Meta, OpenAPI description of the Business Messaging API v23, InteractiveObject and what it refers to,
and Cloud API reference "Messages" for links and requests (read 2026-11). Types that are not known here go on
as they are: the platform adds to them.
"""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from garbo.common.events.base import Part
from garbo.common.events.media import Bare, Media
from garbo.common.events.shown_text import SHOWN, Url
from garbo.common.events.vendor_object import first_twice, refuse

MAX_ROWS: Final = 10
"""Over all sections of a list."""
MAX_PRODUCTS: Final = 30
Title = Annotated[str, Field(min_length=1, max_length=20), SHOWN]
_Id = Annotated[str, Field(min_length=1), SHOWN]
_WITH_BODY: Final = frozenset(
    {"button", "list", "product_list", "catalog_message", "flow", "cta_url", "location_request_message"}
)


class Header(Part):
    """What stands above the body: a text or a file."""

    type: Literal["text", "image", "video", "document"]
    text: Annotated[str, Field(min_length=1, max_length=60), SHOWN] | None = None
    sub_text: Annotated[str, Field(min_length=1, max_length=60), SHOWN] | None = None
    image: Bare | None = None
    video: Bare | None = None
    document: Media | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if getattr(self, self.type) is None:
            raise refuse((self.type,), "is missing: give it, as the header's type says")
        return self


class Body(Part):
    """The words of the message."""

    text: Annotated[str, Field(min_length=1, max_length=1024), SHOWN]


class Footer(Part):
    """The small words below."""

    text: Annotated[str, Field(min_length=1, max_length=60), SHOWN]


class Reply(Part):
    """What a reply button says, and sends back."""

    id: Annotated[str, Field(pattern=r"^\S(.*\S)?$", max_length=256), SHOWN]
    title: Title


class ReplyButton(Part):
    """One of up to three buttons."""

    type: Literal["reply"]
    reply: Reply


class Row(Part):
    """One line of a list."""

    id: Annotated[str, Field(min_length=1, max_length=200), SHOWN]
    title: Annotated[str, Field(min_length=1, max_length=24), SHOWN]
    description: Annotated[str, Field(min_length=1, max_length=72), SHOWN] | None = None


class Product(Part):
    """One product of a catalog."""

    product_retailer_id: _Id


class Section(Part):
    """Some lines of a list, or some products, under one title."""

    title: Annotated[str, Field(min_length=1, max_length=24), SHOWN] | None = None
    rows: Annotated[tuple[Row, ...], Field(min_length=1, max_length=MAX_ROWS)] | None = None
    product_items: Annotated[tuple[Product, ...], Field(min_length=1, max_length=MAX_PRODUCTS)] | None = None


class ActionParameters(Part):
    """What a link or a flow needs."""

    display_text: Title | None = None
    url: Url | None = None
    flow_message_version: str | None = None
    flow_id: _Id | None = None
    flow_name: _Id | None = None
    flow_cta: Annotated[str, Field(min_length=1, max_length=30), SHOWN] | None = None
    flow_action: Literal["navigate", "data_exchange"] | None = None
    mode: Literal["draft", "published"] | None = None


class Action(Part):
    """What the person can do."""

    button: Title | None = None
    buttons: Annotated[tuple[ReplyButton, ...], Field(min_length=1, max_length=3)] | None = None
    sections: Annotated[tuple[Section, ...], Field(min_length=1, max_length=10)] | None = None
    catalog_id: _Id | None = None
    product_retailer_id: _Id | None = None
    name: str | None = None
    parameters: ActionParameters | None = None


_NEEDS: Final[dict[str, tuple[str, ...]]] = {
    "button": ("buttons",),
    "list": ("button", "sections"),
    "product": ("catalog_id", "product_retailer_id"),
    "product_list": ("catalog_id", "sections"),
    "flow": ("name", "parameters"),
    "cta_url": ("name", "parameters"),
    "catalog_message": ("name",),
    "location_request_message": ("name",),
    "call_permission_request": ("name",),
}
"""Of its action, by the message's type."""
_NAMED: Final = {"location_request_message": "send_location"}
"""The action's name, where it is not the message's type."""


class Interactive(Part):
    """One interactive message, held together by its type."""

    type: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
    header: Header | None = None
    body: Body | None = None
    footer: Footer | None = None
    action: Action | None = None

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.type not in _NEEDS:
            return self
        if self.body is None and self.type in _WITH_BODY:
            raise refuse(("body",), "is missing: give it")
        if self.action is None:
            raise refuse(("action",), "is missing: give it")
        for field in _NEEDS[self.type]:
            if getattr(self.action, field) is None:
                raise refuse(("action", field), "is missing: a message of this type needs it")
        self._check_header()
        self._check_action(self.action)
        return self

    def _check_header(self) -> None:
        if self.type == "product" and self.header is not None:
            raise refuse(("header",), "is not shown in a message of this type: leave it out")
        if self.type == "product_list" and self.header is None:
            raise refuse(("header",), "is missing: a message of this type needs it")
        if self.type in ("list", "product_list") and self.header and self.header.type != "text":
            raise refuse(("header", "type"), "must be text in a message of this type")

    def _check_action(self, action: Action) -> None:
        if "name" in _NEEDS[self.type] and action.name != _NAMED.get(self.type, self.type):
            raise refuse(("action", "name"), f"must be {_NAMED.get(self.type, self.type)}")
        if action.buttons:
            _refuse_twins(action.buttons)
        if self.type in ("list", "product_list") and action.sections:
            _check_sections(self.type, action.sections)
        if action.parameters and self.type in _CHECKS:
            _CHECKS[self.type](action.parameters)


def _refuse_twins(buttons: Iterable[ReplyButton]) -> None:
    replies = [button.reply for button in buttons]
    for field in ("id", "title"):
        if (place := first_twice([getattr(reply, field) for reply in replies])) is not None:
            raise refuse(("action", "buttons", place, "reply", field), "stands twice: give each its own")


def _check_sections(kind: str, sections: tuple[Section, ...]) -> None:
    holds, most = ("rows", MAX_ROWS) if kind == "list" else ("product_items", MAX_PRODUCTS)
    place: tuple[str | int, ...] = ("action", "sections")
    for number, section in enumerate(sections):
        if not getattr(section, holds):
            raise refuse((*place, number, holds), "is missing: a section needs it")
        if section.title is None and len(sections) > 1:
            raise refuse((*place, number, "title"), "is missing: needed where there are several sections")
    if sum(len(getattr(section, holds)) for section in sections) > most:
        raise refuse(place, f"must hold at most {most} {holds} in all")
    ids = [row.id for section in sections for row in section.rows or ()]
    if first_twice(ids) is not None:
        raise refuse(place, "has two rows with the same id: give each its own")


def _check_link(parameters: ActionParameters) -> None:
    for field in ("display_text", "url"):
        if getattr(parameters, field) is None:
            raise refuse(("action", "parameters", field), "is missing: a link needs it")


def _check_flow(parameters: ActionParameters) -> None:
    if parameters.flow_message_version != "3":
        raise refuse(("action", "parameters", "flow_message_version"), 'must be "3"')
    if parameters.flow_cta is None:
        raise refuse(("action", "parameters", "flow_cta"), "is missing: a flow needs it")
    if (parameters.flow_id is None) == (parameters.flow_name is None):
        raise refuse(("action", "parameters"), "must hold exactly one of flow_id and flow_name")


_CHECKS: Final = {"cta_url": _check_link, "flow": _check_flow}
