"""What stored files are called: by us, never by a customer."""

import re
from typing import Final, NewType

MediaKey = NewType("MediaKey", str)
"""Names of letters, digits, `_`, `-` and `.`, with `/` between; none begins with a dot."""
LONGEST_KEY: Final = 512
_KEY: Final = re.compile(r"[0-9A-Za-z_-][0-9A-Za-z_.-]*(/[0-9A-Za-z_-][0-9A-Za-z_.-]*)*")


def media_key(text: str) -> MediaKey:
    """Take a text as a key; raises `ValueError`, without the text, for one that could lead elsewhere."""
    if len(text) > LONGEST_KEY or not _KEY.fullmatch(text):
        raise ValueError("a media key holds names of letters, digits, _, - and ., with / between")
    return MediaKey(text)
