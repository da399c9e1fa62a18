"""The console in a real browser, over the real service, fed through Kafka."""

import re
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Final, Protocol
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from garbo.common.events.base import Event
from services.analytics.tests.support.chromium import ARGS, PHONE, WIDE
from services.analytics.tests.support.journeys import Journey

pytestmark = [pytest.mark.browser, pytest.mark.integration]

DEADLINE_MS: Final = 30_000


class Service(Protocol):
    url: str

    async def tell(self, events: Sequence[Event]) -> None: ...


class Console:
    """One page, and what it did that it should not."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.errors: list[str] = []
        self.outside: list[str] = []
        page.set_default_timeout(DEADLINE_MS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda line: self.errors.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: self._note(request.url))

    async def open(self, path: str = "/") -> None:
        await self.page.goto(self.url + path)
        await expect(self.page.locator("#live")).to_have_text("Live", timeout=DEADLINE_MS)

    def row(self, one: Journey) -> str:
        return f'.row[data-message="{one.message_id}"]'

    def _note(self, address: str) -> None:
        if urlsplit(address).netloc != urlsplit(self.url).netloc:
            self.outside.append(address)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("the console is tested in Chromium: type apt-get install chromium", pytrace=False)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=list(ARGS))
        yield browser
        await browser.close()


async def a_console(
    browser: Browser, service: Service, *, size: tuple[int, int] = WIDE, dark: bool = False
) -> Console:
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        reduced_motion="reduce",
    )
    return Console(await context.new_page(), service.url)


@pytest.fixture
async def console(browser: Browser, service: Service) -> AsyncIterator[Console]:
    console = await a_console(browser, service)
    yield console
    await console.page.context.close()
    assert console.outside == []


@pytest.fixture
async def phone(browser: Browser, service: Service) -> AsyncIterator[Console]:
    console = await a_console(browser, service, size=PHONE, dark=True)
    yield console
    await console.page.context.close()
    assert console.outside == []


def just_now(**more: str | None) -> Journey:
    return Journey(begun_at=datetime.now(UTC), **more)  # type: ignore[arg-type] # names of texts only


async def test_message_shows_up_live_and_tells_its_story(console: Console, service: Service) -> None:
    await console.open()
    one = just_now()
    asked = console.page.locator("[data-step=requested]")
    before = int(await asked.inner_text())
    await service.tell([one.requested()])
    row = console.page.locator(console.row(one))
    await expect(row).to_contain_text("Waiting for a decision", timeout=DEADLINE_MS)
    await expect(asked).to_have_text(str(before + 1))
    await service.tell([one.allowed(), one.result("accepted"), one.status("delivered"), one.status("read")])
    await expect(row.locator(".chip")).to_have_text("Read", timeout=DEADLINE_MS)
    await row.click()
    titles = console.page.locator(".told-title")
    await expect(titles).to_have_text(["Asked", "Allowed", "Sending", "Accepted", "Delivered", "Read"])
    await service.tell(one.answered())
    await expect(titles.last).to_have_text("Replied", timeout=DEADLINE_MS)
    assert console.errors == []


async def test_reason_is_shown_in_words_and_counted(console: Console, service: Service) -> None:
    one = just_now()
    await service.tell([one.requested(), one.held_by_cap()])
    await console.open()
    row = console.page.locator(console.row(one))
    await expect(row).to_contain_text("Held back: this person already had 1 of 1 promos in the last 24 h")
    await expect(row.locator("time.instant")).to_have_attribute(
        "title", re.compile(str(one.at(23 * 3600).year))
    )
    await expect(console.page.locator("#held")).to_contain_text("Cap reached")
    await console.page.get_by_role("radio", name="Allowed").check()
    await expect(row).to_have_count(0)
    await console.page.get_by_role("radio", name="Held back").check()
    await expect(row).to_have_count(1)
    assert console.errors == []


async def test_a_waiting_message_is_shown_with_its_instant_until_it_goes(
    console: Console, service: Service
) -> None:
    one = just_now()
    await service.tell([one.requested(), one.put_off("quiet", until=3600)])
    await console.open()
    row = console.page.locator(console.row(one))
    await expect(row.locator(".chip")).to_have_text("Waiting")
    await expect(row).to_contain_text(
        "Put off: it is quiet time where this person lives; it is tried again at"
    )
    await expect(row.locator("time.instant")).to_have_count(1)
    await expect(console.page.locator("#waiting")).to_contain_text("Quiet hours")
    await console.page.get_by_role("radio", name="Waiting").check()
    await expect(row).to_have_count(1)
    await service.tell([one.allowed(after=1, sequence=2)])
    await expect(row).to_have_count(0, timeout=DEADLINE_MS)
    await expect(console.page.locator("#waiting")).not_to_contain_text("Quiet hours", timeout=DEADLINE_MS)
    assert console.errors == []


async def test_keyboard_opens_and_closes_a_story(console: Console, service: Service) -> None:
    one = just_now()
    await service.tell([one.requested(), one.held("stopped")])
    await console.open()
    row = console.page.locator(console.row(one))
    await row.focus()
    await console.page.keyboard.press("Enter")
    await expect(console.page.locator("#panel-title")).to_contain_text("asked for no more promos")
    await console.page.keyboard.press("Escape")
    await expect(console.page.locator("#panel")).to_be_hidden()
    await expect(row).to_be_focused()
    assert urlsplit(console.page.url).fragment == "/"


async def test_text_of_others_is_never_markup(console: Console, service: Service) -> None:
    one = just_now()
    await service.tell([one.requested(), one.held("<img src=x onerror=alert(1)>")])
    await console.open()
    await expect(console.page.locator(console.row(one))).to_contain_text("<img src=x onerror=alert(1)>")
    await console.page.locator(console.row(one)).click()
    await expect(console.page.locator(".told-title").last).to_contain_text("<img")
    assert await console.page.locator("img[src=x]").count() == 0
    assert console.errors == []


async def test_search_finds_a_message_or_says_what_to_do(console: Console, service: Service) -> None:
    one = just_now()
    await service.tell([one.requested()])
    await console.open()
    await expect(console.page.locator(console.row(one))).to_have_count(1)
    search = console.page.get_by_label("Request id")
    await search.fill(str(UUID(int=1)))
    await search.press("Enter")
    await expect(console.page.locator("#panel")).to_contain_text("No such message")
    await console.page.keyboard.press("Escape")
    await search.fill(f" {one.request_id} ")
    await search.press("Enter")
    await expect(console.page.locator(".told-title").first).to_have_text("Asked")


async def test_shared_id_asks_whose_message(console: Console, service: Service) -> None:
    one = just_now()
    other = Journey(begun_at=one.begun_at, request_id=one.request_id, client="crm")
    await service.tell([one.requested(), other.requested()])
    await console.open()
    await expect(console.page.locator(console.row(other))).to_have_count(1, timeout=DEADLINE_MS)
    await console.page.goto(f"{console.url}/#/m/{one.request_id}")
    await console.page.get_by_role("link", name="crm", exact=True).click()
    await expect(console.page.locator(".told-words").first).to_contain_text("The client crm asked")


async def test_lost_connection_is_said_and_mended(console: Console) -> None:
    await console.open()
    await console.page.route("**/v1/stream*", lambda route: route.abort())
    await console.page.get_by_role("radio", name="1 h", exact=True).check()
    await expect(console.page.locator("#banner")).to_contain_text("Connection lost", timeout=DEADLINE_MS)
    await console.page.unroute_all()
    await expect(console.page.locator("#live")).to_have_text("Live", timeout=DEADLINE_MS)
    await expect(console.page.locator("#banner")).to_be_hidden()


async def test_pause_holds_the_page_and_resume_catches_up(console: Console, service: Service) -> None:
    await console.open()
    await console.page.get_by_role("button", name="Pause").click()
    await expect(console.page.locator("#live")).to_have_text("Paused")
    one = just_now()
    await service.tell([one.requested()])
    await console.page.get_by_role("button", name="Resume").click()
    await expect(console.page.locator(console.row(one))).to_have_count(1, timeout=DEADLINE_MS)


async def test_nothing_yet_is_said_kindly(console: Console) -> None:
    await console.page.route("**/v1/messages?*", lambda route: route.fulfill(json={"messages": []}))
    await console.open()
    await expect(console.page.locator("#empty")).to_contain_text("Nothing yet")


async def test_phone_reads_without_scrolling_sideways(phone: Console, service: Service) -> None:
    one = just_now()
    await service.tell([one.requested(), one.held_by_cap()])
    await phone.open()
    row = phone.page.locator(phone.row(one))
    await expect(row).to_have_count(1)
    sideways = "document.documentElement.scrollWidth - innerWidth"
    assert await phone.page.evaluate(sideways) == 0
    await row.click()
    await expect(phone.page.locator(".told").last).to_be_visible()
    assert await phone.page.evaluate(sideways) == 0
    panel = phone.page.locator("#panel")
    assert await panel.evaluate("node => node.scrollWidth - node.clientWidth") == 0
    assert phone.errors == []


async def test_dark_follows_the_system_until_the_reader_chooses(phone: Console) -> None:
    await phone.open()
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    assert await phone.page.evaluate(paper) == "rgb(19, 22, 24)"
    await phone.page.get_by_role("button", name="Switch to light").click()
    assert await phone.page.evaluate(paper) == "rgb(245, 242, 236)"
    await phone.page.reload()
    assert await phone.page.evaluate(paper) == "rgb(245, 242, 236)"
