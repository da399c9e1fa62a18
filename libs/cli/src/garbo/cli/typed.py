"""How things are typed from where the person stands: this command, a path."""

import shutil
import sys
from pathlib import Path


def garbo(*words: str) -> str:
    """Return the line that runs this command: `.venv/bin/garbo ...` in a clone, `garbo ...` on the path."""
    program = Path(sys.executable).with_name("garbo")
    found = shutil.which("garbo")
    on_the_path = not program.is_file() or (found is not None and Path(found).samefile(program))
    return " ".join(("garbo" if on_the_path else shown(program), *words))


def shown(path: Path) -> str:
    """Return the path as short as it can be typed here."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
