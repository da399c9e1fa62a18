"""Why a connection is closed before, or beside, any answer of the application."""

from enum import Enum

import orjson


class DoorRefusal(Enum):
    """A reason: its word in metrics and logs, and what the peer is told. Status 0: nothing is said."""

    NOT_HTTP = ("not_http", 400, "Not HTTP", "Send an HTTP/1.1 request.")
    UPGRADE = ("upgrade", 400, "No other protocol", "Speak HTTP/1.1: leave the Upgrade header out.")
    NO_HOST = ("no_host", 400, "No host", "Send one Host header with a name or an address, and a port.")
    WRONG_HOST = ("wrong_host", 421, "Not this host", "Ask by a name this server has: GARBO_ALLOWED_HOSTS.")
    HEAD_TOO_LARGE = ("head_too_large", 431, "Headers too large", "Send 64 KiB and 128 headers at most.")
    HEAD_TOO_SLOW = ("head_too_slow", 408, "Too slow", "Send all headers within 10 s.")
    BODY_SILENT = ("body_silent", 408, "Too slow", "Send the body without a pause of 10 s.")
    SILENT = ("silent", 0, "", "")
    DISPLACED = ("displaced", 0, "", "")
    NO_ROOM = ("no_room", 503, "Too many connections", "Close some, or try again in a second.")
    PIPELINED = ("pipelined", 0, "", "")
    NOT_DRAINED = ("not_drained", 0, "", "")
    NOT_READ = ("answer_not_read", 0, "", "")

    def __init__(self, word: str, status: int, title: str, detail: str) -> None:
        self.word, self.status = word, status
        self._title, self._detail = title, detail

    def body(self) -> bytes:
        """Say it as RFC 9457 problem details."""
        said = {"type": "about:blank", "title": self._title, "status": self.status, "detail": self._detail}
        return orjson.dumps(said)


class RefusedRequest(Exception):  # noqa: N818 - it says what became of the request
    """Ends the parsing of a request, for this reason."""

    def __init__(self, refusal: DoorRefusal) -> None:
        super().__init__(refusal.word)
        self.refusal = refusal
