"""Pictures of a running console: python services/analytics/tests/browser/screenshots.py URL FOLDER.

Writes console-{light,dark,phone}.png and console-story.png, each under 250 KB.
"""

import shutil
import sys
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright

from services.analytics.tests.support.chromium import ARGS, PHONE, WIDE

LOOKS: Final = (("light", WIDE), ("dark", WIDE), ("phone", PHONE))


def open_page(browser: Browser, url: str, *, look: str, size: tuple[int, int]) -> Page:
    """Open the console and wait until it is live and shows messages."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if look == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector("#live[data-state=live]")
    page.wait_for_selector(".row")
    return page


def main(url: str, folder: Path) -> None:
    """Take all pictures."""
    with sync_playwright() as playwright:
        chromium = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=list(ARGS))
        for look, size in LOOKS:
            open_page(browser, url, look=look, size=size).screenshot(path=folder / f"console-{look}.png")
        page = open_page(browser, url, look="light", size=WIDE)
        story = page.locator(".row", has_text="already had").first.get_attribute("href")
        page.goto(f"{url}{story}")
        page.wait_for_selector(".told")
        page.screenshot(path=folder / "console-story.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
