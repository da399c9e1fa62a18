"""The sending numbers, and the portfolios that own their accounts."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr

from garbo.common.business.section import Section
from garbo.common.errors import StartRefused
from garbo.common.events.requests import Name


class Number(Section):
    """A WhatsApp business number."""

    id: Annotated[str, Field(pattern=r"^[0-9]{1,32}$")]
    """The platform's phone number id."""
    display: str
    waba: str
    brand: Name
    token: SecretStr | None = None
    """The access token; or `token_file`."""
    token_file: Path | None = None
    portfolio: Name | None = None
    """The business portfolio that owns its account; unsaid, the account is one by itself."""
    rate_per_s: Annotated[float, Field(gt=0, le=1000)] = 80
    """Messages a second the platform allows, in and out together."""
    marketing_messages: bool = False
    """Its account takes part in the Marketing Messages API: marketing templates go to that endpoint."""

    def access_token(self) -> str:
        """Read the token; raises `StartRefused` when there is none."""
        if self.token:
            return self.token.get_secret_value()
        if self.token_file is None:
            raise StartRefused(f"business file: number {self.id} has neither token nor token_file.")
        try:
            return self.token_file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise StartRefused(
                f"business file: token_file of number {self.id} cannot be read: {error.strerror}."
            ) from None


class Portfolio(Section):
    """A business portfolio: what it may reach in a day, all its numbers share."""

    id: Name
    people_per_day: Annotated[int, Field(ge=1)] | None = None
    """People who may be written to first in any 24 hours; what the platform tells overrides it. Unsaid: as
    many as there are, until the platform tells."""
