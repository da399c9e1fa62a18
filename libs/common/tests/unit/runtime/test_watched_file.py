"""A changed file is in force once it stands still; a bad one changes nothing, and is said."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from garbo.common.errors import RetryLater, StartRefused
from garbo.common.runtime.watched_file import WatchedFile
from libs.common.tests.support.waiting import until


class Watched:
    """A file of one word, which may lead to another file; a word that is `bad` is refused."""

    def __init__(self, folder: Path) -> None:
        self.path, self.other = folder / "file", folder / "other"
        self.path.write_text("one")
        self.other.write_text("")
        self.used: list[str] = []
        self.away = False
        self.file = WatchedFile("test", self.path, self.read, use=self.use, beside=lambda _: [self.other])

    def read(self) -> str:
        """Read it; raises `StartRefused`."""
        try:
            word = self.path.read_text() + self.other.read_text()
        except OSError as error:
            raise StartRefused(f"cannot be read: {error.strerror}") from None
        if word == "bad":
            raise StartRefused("the word is bad: write another")
        return word

    async def use(self, word: str) -> None:
        """Use a word, or raise `RetryLater`."""
        if self.away:
            raise RetryLater("away")
        self.used.append(word)

    async def settle(self) -> None:
        """Look as often as a change needs: once to see it, once to see that it stood still."""
        await self.file.look()
        await self.file.look()

    @property
    def refused(self) -> float | None:
        """What the metric says."""
        return REGISTRY.get_sample_value("garbo_file_refused", {"file": "test"})


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


async def test_changed_file_is_used_once_it_stands_still_and_only_once(watched: Watched) -> None:
    watched.path.write_text("half")
    await watched.file.look()
    watched.path.write_text("half and whole")
    await watched.file.look()
    assert watched.used == [], "it was still being written"
    await watched.file.look()
    await watched.settle()
    assert watched.used == ["half and whole"]
    assert watched.file.current == "half and whole"


async def test_bad_file_changes_nothing_and_the_next_good_one_is_taken(watched: Watched) -> None:
    watched.path.write_text("bad")
    await watched.settle()
    assert (watched.file.current, watched.used, watched.refused) == ("one", [], 1)
    watched.path.unlink()
    await watched.settle()
    assert (watched.file.current, watched.refused) == ("one", 1)
    watched.path.write_text("two")
    await watched.settle()
    assert (watched.file.current, watched.used, watched.refused) == ("two", ["two"], 0)


async def test_bad_file_from_the_start_stops_it(watched: Watched) -> None:
    watched.path.write_text("bad")
    with pytest.raises(StartRefused, match="the word is bad"):
        WatchedFile("test", watched.path, watched.read, use=watched.use)


async def test_file_it_leads_to_is_watched_as_well_and_the_same_words_are_no_change(watched: Watched) -> None:
    watched.other.write_text(" more")
    await watched.settle()
    assert watched.used == ["one more"]
    watched.path.write_text("one")
    await watched.settle()
    assert watched.used == ["one more"], "written again, and the same"


async def test_what_cannot_be_used_now_is_tried_at_the_next_look(watched: Watched) -> None:
    watched.path.write_text("two")
    watched.away = True
    await watched.file.look()
    with pytest.raises(RetryLater):
        await watched.file.look()
    assert watched.file.current == "one"
    watched.away = False
    await watched.file.look()
    assert watched.used == ["two"]


async def test_it_looks_by_itself_until_it_is_stopped(watched: Watched) -> None:
    await watched.file.start()
    failed = asyncio.ensure_future(watched.file.wait_failed())
    try:
        watched.path.write_text("two")
        await until(lambda: watched.used == ["two"], within_s=10)
        assert not failed.done()
    finally:
        await watched.file.stop()
        failed.cancel()
