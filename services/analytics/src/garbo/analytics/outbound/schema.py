"""A start that refuses to run on a schema that is not this program's."""

from garbo.common.errors import StartRefused
from garbo.common.runtime.migrations import pending


class SchemaCurrent:
    """A component: starts only when all migrations of this service are applied."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    async def start(self) -> None:
        """Look; raises `StartRefused` when something is missing."""
        if missing := await pending(self._dsn, "analytics"):
            raise StartRefused(f"the schema analytics lacks {missing[0]}: type garbo migrate.")

    async def stop(self) -> None:
        """Nothing is held."""
