"""How much processor the processes of a benchmark have used, and how much memory they hold. Linux only."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds of processor by process: the service's, PostgreSQL's with all its backends, Kafka's."""

    service_s: float
    postgres_s: float
    kafka_s: float

    def since(self, before: "Used", *, messages: int) -> str:
        """Say what a message took since then, in milliseconds of each."""
        parts = [
            (self.service_s - before.service_s, "service"),
            (self.postgres_s - before.postgres_s, "PostgreSQL"),
            (self.kafka_s - before.kafka_s, "Kafka"),
        ]
        return ", ".join(f"{seconds / messages * 1000:.2f} {name}" for seconds, name in parts)


def used(pid: int, folder: Path) -> Used:
    """Look now; the servers are found by the folder their data is in."""
    return Used(_tree_s(pid), _tree_s(_server(folder / "postgres")), _tree_s(_server(folder / "kafka")))


def memory_mb(pid: int) -> float:
    """Give what a process holds of memory now, in MB (RSS)."""
    return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE_BYTES / 1e6


def _server(folder: Path) -> int:
    """Find the first process that names a folder in its command."""
    for at in sorted(int(one.name) for one in PROC.iterdir() if one.name.isdecimal()):
        try:
            command = (PROC / str(at) / "cmdline").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in command and at != os.getpid():
            return at
    raise LookupError(f"nothing runs in {folder}")


def _tree_s(root: int) -> float:
    """Add up a process, its children that live, and those it has outlived."""
    seconds, parents = {}, {}
    for one in PROC.iterdir():
        if one.name.isdecimal():
            try:
                fields = (one / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            seconds[int(one.name)] = sum(map(int, fields[11:15])) * TICK_S
            parents[int(one.name)] = int(fields[1])
    tree, more = {root}, True
    while more:
        found = {pid for pid, parent in parents.items() if parent in tree} - tree
        more = bool(found)
        tree |= found
    return sum(seconds.get(pid, 0.0) for pid in tree)
