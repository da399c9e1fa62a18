"""What every answer to people has in common."""

from pydantic import ConfigDict

from garbo.common.events.base import Part


class Shown(Part):
    """A piece of an answer; what is said of its fields here stands in the API's description as well."""

    model_config = ConfigDict(use_attribute_docstrings=True)
