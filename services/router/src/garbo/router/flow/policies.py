"""The policy in force: one immutable value that every batch asks for once."""

from collections.abc import Callable
from typing import TypeAlias

from garbo.router.domain.policy import Policy

OnChange: TypeAlias = Callable[[Policy, Policy], None]
"""Told the policy before and the policy now."""


class Policies:
    """Holds the policy in force. A batch reads `current` once and keeps that value to its end."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._current = policy
        self._told: list[OnChange] = []

    @property
    def current(self) -> Policy:
        """Give the policy in force; there is one from the moment the process takes work in."""
        if self._current is None:
            raise RuntimeError("no policy is in force yet: the policy is activated before work is taken in")
        return self._current

    def on_change(self, callback: OnChange) -> None:
        """Have a plain function called after each change, such as one that sets an event."""
        self._told.append(callback)

    def activate(self, policy: Policy) -> None:
        """Put another policy in force. One of the same version changes nothing and tells nobody."""
        before, self._current = self._current, policy
        if before is None or before.version == policy.version:
            return
        for callback in self._told:
            callback(before, policy)
