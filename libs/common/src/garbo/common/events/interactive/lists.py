"""A list of up to ten rows, behind one button.

Source: Meta, OpenAPI description of the Business Messaging API v23, ActionObject and SectionObject
(read 2026-11).
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, Protocol, Self

from pydantic import Field, model_validator

from garbo.common.events.base import Part
from garbo.common.events.interactive.parts import LineHeader, MessageBody, MessageFooter, Title
from garbo.common.events.shown_text import SHOWN
from garbo.common.events.vendor_object import first_twice, refuse

MAX_ROWS: Final = 10
"""Over all sections of a list."""
SectionTitle = Annotated[str, Field(min_length=1, max_length=24), SHOWN]


class ListRow(Part):
    """One line of a list."""

    id: Annotated[str, Field(min_length=1, max_length=200), SHOWN]
    title: Annotated[str, Field(min_length=1, max_length=24), SHOWN]
    description: Annotated[str, Field(min_length=1, max_length=72), SHOWN] | None = None


class ListSection(Part):
    """Some lines of a list under one title."""

    title: SectionTitle | None = None
    rows: Annotated[tuple[ListRow, ...], Field(min_length=1, max_length=MAX_ROWS)]


class ListAction(Part):
    """The button that opens the list, and the list."""

    button: Title
    sections: Annotated[tuple[ListSection, ...], Field(min_length=1, max_length=10)]

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        refuse_untitled(self.sections)
        ids = [row.id for section in self.sections for row in section.rows]
        if len(ids) > MAX_ROWS:
            raise refuse(("sections",), f"must hold at most {MAX_ROWS} rows in all")
        if first_twice(ids) is not None:
            raise refuse(("sections",), "has two rows with the same id: give each its own")
        return self


class ListMessage(Part):
    """A message that offers a list."""

    type: Literal["list"]
    header: LineHeader | None = None
    body: MessageBody
    footer: MessageFooter | None = None
    action: ListAction


class _Titled(Protocol):
    @property
    def title(self) -> str | None: ...


def refuse_untitled(sections: Sequence[_Titled]) -> None:
    """Refuse a section without a title where there are several."""
    for number, section in enumerate(sections):
        if section.title is None and len(sections) > 1:
            where = ("sections", number, "title")
            raise refuse(where, "is missing: needed where there are several sections")
