"""One validated asset: frozen, changed only as a whole."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict


class Asset(BaseModel):
    """What the platform holds of one thing. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def changed(self, patch: dict[str, Any]) -> Self:
        """Give the asset with these fields; raises ValidationError."""
        return type(self).model_validate(self.model_dump() | patch)
