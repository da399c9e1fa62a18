"""A part of the business file: nothing it does not know, and nothing that changes."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """See the module."""

    model_config = ConfigDict(frozen=True, extra="forbid")
