"""The brands' files in memory, for tests that need no database."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from garbo.sender.domain.media_keys import MediaKey
from garbo.sender.ports.media import MediaFile


@dataclass
class MemoryMediaFiles:
    """`MediaFiles` in memory; nobody waits for any of them."""

    files: dict[tuple[str, str], MediaFile] = field(default_factory=dict)
    left: dict[MediaKey, datetime] = field(default_factory=dict)
    """Since when each is left over."""

    async def begin(self, key: MediaKey, *, within: timedelta) -> None:
        """See `MediaFiles`."""
        self.left.setdefault(key, datetime.now(UTC) + within)

    async def keep(self, file: MediaFile, *, keep: timedelta) -> MediaFile:
        """See `MediaFiles`."""
        known = self.files.get((file.brand, file.sha256))
        if known is None:
            self.left.pop(file.key, None)
        else:
            self.left[file.key] = datetime.now(UTC)
        until, kept = datetime.now(UTC) + keep, known or file
        longest = max(until, kept.kept_until) if known else until
        self.files[file.brand, file.sha256] = replace(kept, kept_until=longest)
        return self.files[file.brand, file.sha256]

    async def find(self, brand: str, sha256: str) -> MediaFile | None:
        """See `MediaFiles`."""
        return self.files.get((brand, sha256))

    async def end_old(self, *, limit: int) -> int:
        """See `MediaFiles`."""
        now = datetime.now(UTC)
        old = [place for place, one in self.files.items() if one.kept_until < now][:limit]
        for place in old:
            self.left[self.files.pop(place).key] = now
        return len(old)

    async def leftovers(self, *, limit: int) -> Sequence[MediaKey]:
        """See `MediaFiles`."""
        now = datetime.now(UTC)
        return [key for key, since in sorted(self.left.items(), key=lambda o: o[1]) if since <= now][:limit]

    async def cleared(self, keys: Sequence[MediaKey]) -> None:
        """See `MediaFiles`."""
        for key in keys:
            self.left.pop(key, None)
