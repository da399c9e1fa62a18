"""Files that people send to brands that keep them are wanted: noted in one row each, and fetched later."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from garbo.common.business import KeptFiles
from garbo.common.events.engagement import CareMessage
from garbo.sender.domain.incoming_files import WantedFile
from garbo.sender.ports.incoming_files import IncomingFiles


@dataclass(frozen=True, slots=True)
class WantFiles:
    """Reads what the router says of people's messages: it knows whose they are, and who was erased."""

    files: IncomingFiles
    rules_of: Callable[[str], KeptFiles | None]
    """By brand, as they are now."""

    async def take(self, messages: Sequence[tuple[CareMessage, str | None]]) -> None:
        """Note the files of a batch, each message with its trace. The same again changes nothing."""
        wanted = [file for message, trace in messages if (file := self._file_of(message, trace))]
        if wanted:
            await self.files.want(wanted)

    def _file_of(self, message: CareMessage, trace: str | None) -> WantedFile | None:
        file, rules = message.media, self.rules_of(message.brand)
        if file is None or rules is None or not rules.keep_incoming:
            return None
        return WantedFile(
            message_ref=message.event_id,
            contact_id=message.contact_id,
            brand=message.brand,
            number=message.number,
            media_id=file.media_id,
            kind=file.kind,
            mime_type=file.mime_type,
            sha256=file.sha256,
            occurred_at=message.occurred_at,
            trace=trace,
        )
