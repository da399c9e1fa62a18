"""An archive of policies and a meter in memory."""

from garbo.common.errors import RetryLater


class InMemoryPolicies:
    """A `PolicyArchive`; it does not answer while `closed`."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        """Version -> text, the last in force at the end."""
        self.closed = False

    async def keep(self, version: str, body: str) -> None:
        """Keep a policy's text."""
        self._answer()
        self.kept.pop(version, None)
        self.kept[version] = body

    async def newest(self) -> str | None:
        """Give the last."""
        self._answer()
        return next(reversed(self.kept.values()), None)

    def _answer(self) -> None:
        if self.closed:
            raise RetryLater("closed")


class RememberingPolicyMeter:
    """A `PolicyMeter`."""

    def __init__(self) -> None:
        self.shown: tuple[str, str] | None = None
        """Name and version."""
        self.refused: bool | None = None

    def policy_in_force(self, *, name: str, version: str) -> None:
        """Remember it."""
        self.shown = (name, version)

    def file_refused(self, *, refused: bool) -> None:
        """Remember it."""
        self.refused = refused
