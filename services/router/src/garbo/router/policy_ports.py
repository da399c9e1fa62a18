"""What keeping a policy in force needs of the outside."""

from typing import Protocol


class PolicyArchive(Protocol):
    """Every policy that was ever in force, as it was written."""

    async def keep(self, version: str, body: str) -> None:
        """Keep a policy's text, as the one that came into force last. Raises `RetryLater`."""
        ...

    async def newest(self) -> str | None:
        """Give the text of the policy that came into force last; None when there was none. `RetryLater`."""
        ...


class PolicyMeter(Protocol):
    """Shows which policy is in force, and whether the file is another."""

    def policy_in_force(self, *, name: str, version: str) -> None:
        """Show it."""
        ...

    def file_refused(self, *, refused: bool) -> None:
        """Show whether the file, as it is now, was refused."""
        ...
