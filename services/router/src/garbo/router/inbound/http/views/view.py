"""What every answer to people has in common."""

from datetime import datetime

from pydantic import ConfigDict

from garbo.common.events.base import Part
from garbo.router.domain.instants import to_datetime


class View(Part):
    """A piece of an answer; what is said of its fields here stands in the API's description as well."""

    model_config = ConfigDict(use_attribute_docstrings=True)


def instant(at_us: int | None) -> datetime | None:
    """Give an instant as answers have it, where there is one."""
    return None if at_us is None else to_datetime(at_us)
