"""Where every policy that was ever in force is kept."""

from typing import Protocol


class PolicyArchive(Protocol):
    """Every policy that was ever in force, as it was written."""

    async def keep(self, version: str, body: str) -> None:
        """Keep a policy's text, as the one that came into force last. Raises `RetryLater`."""
        ...

    async def newest(self) -> str | None:
        """Give the text of the policy that came into force last; None when there was none. `RetryLater`."""
        ...
