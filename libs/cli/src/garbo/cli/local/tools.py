"""What the machine must bring, and its packages' names: deploy/local/tools.txt, as setup.sh reads it."""

from garbo.cli.local.workspace import workspace_root


def what_to_type(*tools: str) -> str:
    """Return the one line that installs these (`Java`, `Maven` ...), for apt, dnf and brew.

    It can be typed as it stands: all but the first command is a comment.
    """
    rows = _rows()
    apt, dnf, brew = (" ".join(rows[tool][column] for tool in tools) for column in (1, 2, 3))
    return f"sudo apt-get install {apt}  # Fedora: sudo dnf install {dnf}  # macOS: brew install {brew}"


def missing(*tools: str) -> str:
    """Say in one line that these are missing, and what to type."""
    rows = _rows()
    names = ", ".join(rows[tool][0] for tool in tools)
    return f"{names} {'is' if len(tools) == 1 else 'are'} missing: type {what_to_type(*tools)}"


def _rows() -> dict[str, list[str]]:
    lines = (workspace_root() / "deploy" / "local" / "tools.txt").read_text(encoding="utf-8").splitlines()
    rows = ([cell.strip() for cell in line.split("|")] for line in lines)
    return {row[0].split()[0]: row for row in rows}
