"""How Chromium is started where the console is tested and pictured."""

from typing import Final

ARGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""Without a sandbox, because tests may run as root; it opens our own pages alone."""
WIDE: Final = (1280, 800)
PHONE: Final = (390, 844)
"""Widths and heights in CSS pixels."""
