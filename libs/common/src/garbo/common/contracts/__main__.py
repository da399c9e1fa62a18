"""`python -m garbo.common.contracts [--publish]`: write every generated file anew.

`--publish` also freezes today's schemas as published: from then on a test refuses to break them.
"""

import sys
from pathlib import Path

from garbo.common.contracts.generate import generated_files, published_files


def main(arguments: list[str]) -> int:
    """Write the files below the working directory, which must be the repository's root."""
    if not Path("libs/common/contracts").is_dir():
        sys.stderr.write("type this in the repository's root\n")
        return 1
    files = generated_files() | (published_files() if "--publish" in arguments else {})
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
