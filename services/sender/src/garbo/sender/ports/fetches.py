"""Files that lie somewhere on the web."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class FetchRefused(Exception):  # noqa: N818 - it names what happened
    """There is nothing to be had there, now or later; `why` is a short stable word, without any address."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class FetchFailed(Exception):  # noqa: N818 - as above
    """It did not work this time and may another time; `after_s` is how long the other side asks to wait."""

    def __init__(self, why: str, *, after_s: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.after_s = after_s


class Fetched(Protocol):
    """An answer whose body has not been read."""

    @property
    def mime_type(self) -> str | None:
        """What it says it is, in small letters and without parameters."""
        ...

    def parts(self) -> AsyncIterator[bytes]:
        """Read the body, once; raises `FetchRefused` where it is too long, `FetchFailed` where it breaks."""
        ...


class Fetches(Protocol):
    """Fetches from allowed hosts alone."""

    def get(
        self, url: str, *, most_bytes: int, within_s: float, headers: Mapping[str, str] | None = None
    ) -> AbstractAsyncContextManager[Fetched]:
        """Ask for a file and have it within so many seconds as a whole; `headers` go to that host alone.

        Raises `FetchRefused` or `FetchFailed`, on entering or while the body is read.
        """
        ...
