"""Every exception a library knows, to be raised where the library could raise it."""

from types import ModuleType


def every_error(module: ModuleType) -> list[type[Exception]]:
    """Give the exception classes of a module, by name."""
    found = {c for c in vars(module).values() if isinstance(c, type) and issubclass(c, Exception)}
    return sorted((c for c in found if not issubclass(c, Warning)), key=lambda c: c.__name__)


def made(error: type[Exception]) -> Exception:
    """Make one, whatever its constructor asks for."""
    made = error.__new__(error)
    made.args = ("some text",)
    return made
