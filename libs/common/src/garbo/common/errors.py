"""The exceptional ends. Everything expected is a value; these three are not."""

from datetime import timedelta


class RetryLater(Exception):  # noqa: N818 - it names what to do, not what went wrong
    """Come back later: nothing is wrong with the record, something outside is not ready.

    The whole batch is handed over again, `after` at the earliest, with growing delays.
    `why` is static text for logs and metrics: no address, no body, no secret.
    """

    def __init__(self, why: str, *, after: timedelta = timedelta(seconds=1)) -> None:
        super().__init__(why)
        self.why = why
        self.after = after


class Reject(Exception):  # noqa: N818 - as above
    """Never again: the record itself is wrong and goes to the dead-letter topic.

    `why` is a short stable code, such as `not_json` or `invalid:to.phone`; it becomes the
    reason of the dead letter. No address, no body, no secret.

    `alarming=False` for what this installation does not know yet (a number missing from a file, say):
    such records are buried at once, however many they are.
    """

    def __init__(self, why: str, *, alarming: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.alarming = alarming


class StartRefused(Exception):  # noqa: N818 - as above
    """The process cannot start: one line that says what is wrong and what to type."""
