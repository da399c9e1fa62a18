"""One start order, one stop order, one exit code."""

import asyncio
import os
import signal

import pytest

from garbo.common.errors import StartRefused
from garbo.common.runtime.lifecycle import App, Component, run

PHONE = "+39 333 1234567"


class Part:
    def __init__(
        self, name: str, told: list[str], *, refuse: bool = False, stop_raises: bool = False
    ) -> None:
        self.name, self.told, self.refuse, self.stop_raises = name, told, refuse, stop_raises

    async def start(self) -> None:
        self.told.append(f"start {self.name}")
        if self.refuse:
            raise StartRefused(f"{self.name} cannot start: type this")

    async def stop(self) -> None:
        self.told.append(f"stop {self.name}")
        if self.stop_raises:
            raise asyncio.CancelledError


class Terminates(Part):
    async def start(self) -> None:
        await super().start()
        os.kill(os.getpid(), signal.SIGTERM)


class Fails(Part):
    async def wait_failed(self) -> BaseException:
        try:
            int(PHONE)
        except ValueError as error:
            return error
        raise AssertionError


class CannotStart(Part):
    async def start(self) -> None:
        raise KeyError(PHONE)


def app(*parts: Component) -> App:
    return App("example", parts)


def test_starts_in_order_and_stops_in_reverse_when_told() -> None:
    told: list[str] = []
    assert run(lambda: app(Part("a", told), Part("b", told), Terminates("c", told))) == 0
    assert told == ["start a", "start b", "start c", "stop c", "stop b", "stop a"]


def test_a_refused_start_stops_what_had_started_and_says_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    assert run(lambda: app(Part("a", told), Part("b", told, refuse=True), Part("c", told))) == 1
    assert told == ["start a", "start b", "stop b", "stop a"]
    assert "garbo: b cannot start: type this" in capsys.readouterr().err


@pytest.mark.parametrize("part", [Fails, CannotStart], ids=["later", "at the start"])
def test_last_line_says_where_it_failed_and_not_what_the_error_says(
    part: type[Part], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lambda: app(part("a", []))) == 1
    line = capsys.readouterr().out.strip().split("stopped after a failure")[-1]
    assert f"in {'start' if part is CannotStart else 'wait_failed'}" in line
    assert PHONE not in line


def test_a_part_that_fails_ends_the_process_with_1() -> None:
    told: list[str] = []
    assert run(lambda: app(Part("a", told), Fails("b", told))) == 1
    assert told[-2:] == ["stop b", "stop a"]


def test_a_stop_that_raises_does_not_keep_the_others_from_stopping() -> None:
    told: list[str] = []
    code = run(lambda: app(Part("a", told), Part("b", told, stop_raises=True), Terminates("c", told)))
    assert told[-3:] == ["stop c", "stop b", "stop a"]
    assert code == 1


def test_a_wrong_setting_is_one_line_and_1(capsys: pytest.CaptureFixture[str]) -> None:
    def build() -> App:
        raise StartRefused("GARBO_X is not set: set it.")

    assert run(build) == 1
    assert capsys.readouterr().err == "garbo: GARBO_X is not set: set it.\n"
