"""One replica's work on files as a process of its own, to be killed."""

import asyncio
import sys
from pathlib import Path

from garbo.common.business import KeptFiles
from garbo.common.runtime.postgres import Database
from garbo.sender.outbound.folder_store import FolderStore
from services.sender.tests.support.file_stand import FileStand
from services.sender.tests.support.media_stores import started
from services.sender.tests.support.postgres import SenderDatabase


async def work(dsn: str, url: str, folder: str, most_bytes: str) -> None:
    """Go on for ever."""
    database = Database(dsn, service="sender")
    await database.start()
    async with started(FolderStore(Path(folder))) as store:
        stand = FileStand(SenderDatabase(dsn, database), url, store=store)
        stand.rules = KeptFiles(keep_incoming=True, most_bytes=int(most_bytes))
        async with stand.fetching() as fetch:
            await stand.work(fetch).run()


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
