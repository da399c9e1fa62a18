"""The policy in force: one immutable value that every batch asks for once."""

from garbo.router.domain.policy import Policy


class PolicyInForce:
    """Holds the policy in force. A batch reads `current` once and keeps that value to its end."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._current = policy

    @property
    def current(self) -> Policy:
        """Give the policy in force; there is one from the moment the process takes work in.

        Another `version` than before means: it was changed.
        """
        if self._current is None:
            raise RuntimeError("no policy is in force yet: the policy is activated before work is taken in")
        return self._current

    def activate(self, policy: Policy) -> None:
        """Put a policy in force."""
        self._current = policy
