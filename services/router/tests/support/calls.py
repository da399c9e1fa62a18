"""How often something runs."""

import sys
from collections import Counter
from collections.abc import Callable
from types import FrameType


class Calls:
    """Counts how often functions run, without changing what they do."""

    def __init__(self, *functions: Callable[..., object]) -> None:
        self._names = {function.__code__: function.__name__ for function in functions}
        self.counts: Counter[str] = Counter()

    def __enter__(self) -> "Calls":
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event == "call" and (name := self._names.get(frame.f_code)):
            self.counts[name] += 1
