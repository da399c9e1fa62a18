"""Simulations as operating-system processes: they share neither loop nor memory with deciding."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Final

MOST_LINE_BYTES: Final = 4 * 1024 * 1024
MOST_S: Final = 1800.0
END_S: Final = 5.0


async def simulate(job: bytes) -> AsyncGenerator[bytes]:
    """Run one job; gives its lines as they come. Closing the generator kills the process.

    Raises `TimeoutError` when it takes longer than half an hour.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "garbo.router",
        "simulate",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=MOST_LINE_BYTES,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("pipes were asked for")
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + MOST_S
    try:
        process.stdin.write(job + b"\n")
        while line := await asyncio.wait_for(process.stdout.readline(), deadline_s - loop.time()):
            yield line
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.wait_for(process.wait(), END_S)
