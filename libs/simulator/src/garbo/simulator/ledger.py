"""The append-only ledger of what the API accepted: the truth a checker compares with.

One JSON object a line, in a file (a nameless temporary one when no path is set), written before the
answer leaves; in memory stand only each line's place and the counts. A line torn by a crash is cut off
at the next start: its answer never left.
"""

import os
import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import orjson

from garbo.simulator.graph.requests import Send


class Ledger:
    """Every accepted send, numbered from 1 in the order of acceptance."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = _open(path)
        self._ends = array("Q")
        self._opaque: set[str] = set()
        self.by_category: Counter[str] = Counter()
        self.by_number: Counter[str] = Counter()
        self._load()

    def __len__(self) -> int:
        return len(self._ends)

    @property
    def unique_biz_opaque(self) -> int:
        """How many different `biz_opaque_callback_data` were accepted."""
        return len(self._opaque)

    def append(self, send: Send, *, number_id: str, wamid: str, at_us: int, ending: str = "answered") -> int:
        """Write one accepted send and return its number; the kernel has the line when this returns."""
        seq = len(self._ends) + 1
        entry = {
            "seq": seq,
            "at_us": at_us,
            "number_id": number_id,
            "recipient": send.recipient,
            "wamid": wamid,
            "type": send.type,
            "template": send.template.name if send.template else None,
            "category": send.category,
            "biz_opaque": send.biz_opaque,
            "ending": ending,
            "lite": send.lite,
        }
        if send.files:
            entry["files"] = [file.id or file.link for file in send.files]
        line = orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
        self._file.write(line)
        self._count(entry, len(line))
        return seq

    def entries(self, *, after: int, limit: int) -> bytes:
        """Give up to `limit` entries with `seq > after` as a JSON array."""
        first, last = max(0, after), min(len(self._ends), max(0, after) + limit)
        if first >= last:
            return b"[]"
        start = self._ends[first - 1] if first else 0
        chunk = os.pread(self._file.fileno(), self._ends[last - 1] - start, start)
        return b"[" + chunk.rstrip(b"\n").replace(b"\n", b",") + b"]"

    async def start(self) -> None:
        """Nothing to do: it is open from the beginning."""

    async def stop(self) -> None:
        """Close the file."""
        self._file.close()

    def _load(self) -> None:
        whole = 0
        for line in _lines(self._file):
            self._count(orjson.loads(line), len(line))
            whole += len(line)
        self._file.truncate(whole)
        self._file.seek(whole)

    def _count(self, entry: dict[str, Any], length_bytes: int) -> None:
        self._ends.append((self._ends[-1] if self._ends else 0) + length_bytes)
        self.by_category[entry["category"]] += 1
        self.by_number[entry["number_id"]] += 1
        if entry["biz_opaque"]:
            self._opaque.add(entry["biz_opaque"])


def _open(path: Path | None) -> IO[bytes]:
    if path is None:
        return tempfile.TemporaryFile(buffering=0)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.chmod(0o600)  # phones are in there, also in one that an earlier version made
    return path.open("a+b", buffering=0)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    with os.fdopen(os.dup(file.fileno()), "rb") as reader:
        for line in reader:
            if line.endswith(b"\n"):
                yield line
