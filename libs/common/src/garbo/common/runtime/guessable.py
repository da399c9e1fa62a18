"""Whether a secret could be guessed: what somebody typed to get on with it, and never came back to."""

import re
from typing import Final

LEAST_DIFFERENT: Final = 5
"""Characters. Random hex of 12 has fewer once in 10,000, of 32 never."""
LEAST_LEFT: Final = 6
"""Letters that must remain once words everybody knows, digits and signs are taken out."""
RUNS: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "0123456789abcdef",
    "abcdef0123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm",
)
WORDS: Final = (
    *(
        "password",
        "passwort",
        "passwd",
        "passphrase",
        "pass",
        "secret",
        "geheim",
        "segreto",
        "token",
        "webhook",
    ),
    *("verify", "verification", "whatsapp", "facebook", "meta", "garbo", "admin", "root", "user", "login"),
    *(
        "test",
        "testing",
        "example",
        "sample",
        "demo",
        "dummy",
        "default",
        "change",
        "replace",
        "insert",
        "your",
    ),
    *(
        "letmein",
        "welcome",
        "hello",
        "qwerty",
        "iloveyou",
        "dragon",
        "monkey",
        "master",
        "todo",
        "here",
        "this",
    ),
    *(
        "production",
        "prod",
        "live",
        "staging",
        "local",
        "dev",
        "hash",
        "salt",
        "key",
        "app",
        "api",
        "my",
        "me",
    ),
)
"""Longer ones first where one begins with another: they are taken out in this order."""
_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_BY_LENGTH: Final = sorted(WORDS, key=len, reverse=True)


def weakness(secret: str, *, least_length: int) -> str | None:
    """Say in words why this could be guessed; None when nothing speaks for that. Never quotes it."""
    folded = secret.casefold()
    if len(secret) < least_length:
        return f"is shorter than {least_length} characters"
    if _repeats(folded):
        return "repeats one piece of text"
    if len(set(folded)) < LEAST_DIFFERENT:
        return f"is made of fewer than {LEAST_DIFFERENT} different characters"
    if any(folded in run or folded in run[::-1] for run in RUNS):
        return "is a row of the alphabet or the keyboard"
    if _is_of_words(folded):
        return "is made of words everybody tries"
    return None


def _repeats(text: str) -> bool:
    """Tell `aaaa`, `abab` and `passwordpassword`: moved by half its length or less, it fits onto itself."""
    return any(text.startswith(text[shift:]) for shift in range(1, len(text) // 2 + 1))


def _is_of_words(text: str) -> bool:
    if re.fullmatch("[0-9a-f]+", text):
        return False  # no word is hex; digits read as letters would find some by chance
    return any(_mostly_words(spelt) for spelt in (text, text.translate(_LEET)))


def _mostly_words(text: str) -> bool:
    left = text
    for word in _BY_LENGTH:
        left = left.replace(word, " ")
    letters, letters_left = (len(re.sub(r"[\W\d_]", "", part)) for part in (text, left))
    return letters_left < LEAST_LEFT and 0 < letters - letters_left >= letters_left
