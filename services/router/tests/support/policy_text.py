"""The text of a policy, and how it is refused."""

import pytest

from garbo.router.inbound.policy_file.load import PolicyRefused, read_policy

TOP = "policy: p\nversion: 1\nclasses: [{ id: promo }]\nrules:\n"


def refusal(content: str) -> PolicyRefused:
    with pytest.raises(PolicyRefused) as refused:
        read_policy(content.encode())
    return refused.value
