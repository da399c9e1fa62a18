"""A suppression list is read whole or refused with its line: nobody on it is passed over in silence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garbo.cli.router.suppression_list import addresses_of
from garbo.common.errors import StartRefused

GOOD = "+393331234567"


def the_list(tmp_path: Path, content: str) -> Path:
    file = tmp_path / "list.csv"
    file.write_text(content, encoding="utf-8", newline="")
    return file


@pytest.mark.parametrize(
    "heading",
    [
        "phone",
        "phone,since",
        "Telefono;Nome",
        "电话",
        "رقم الهاتف",
        "user id",
        "\ufeffphone",
        '"phone\nor id"',
        "\n,\n phone",
    ],
)
def test_a_line_without_a_digit_is_a_heading(tmp_path: Path, heading: str) -> None:
    assert addresses_of(the_list(tmp_path, f"{heading}\n{GOOD}\n")) == [{"phone": GOOD}]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("393331300003\n", 1),
        ("\ufeff393331300003\n", 1),
        ("0039 333 1300003\n", 1),
        ("+39 (333) 1300003\n", 1),
        ("+393331300003;Mario\n", 1),
        ("Mario,+393331300003\n", 1),
        ("+٣٩٣٣٣١٣٠٠٠٠٣\n", 1),
        ("+३९३३३१३००००३\n", 1),
        ("٣٩٣\n", 1),
        ("+39³³³\n", 1),
        ("三九三\n", 1),
        ("\u202a+393331300003\u202c\n", 1),
        ("\n\n393331300003\n", 3),
        (f"{GOOD}\nphone\n", 2),
        (f"phone\nname\n{GOOD}\n", 2),
        (f"{GOOD}\n,+393331300003\n", 2),
        (f",+393331300003\n{GOOD}\n", 1),
        (f'{GOOD}\n"+39333\n1300003"\n', 2),
        (f'phone\n"{GOOD}\n+393331300003\n', 2),
        (f'"note\nof two lines",\n{GOOD}\n12\n', 4),
        (f'{GOOD}\n"{GOOD}"x\n', 2),
        (f"phone\r\n{GOOD}\r\nit.12\r\n", 3),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(tmp_path: Path, content: str, line: int) -> None:
    with pytest.raises(StartRefused, match=rf"line {line}: "):
        addresses_of(the_list(tmp_path, f"{content}{GOOD}\n"))


@given(
    st.lists(st.text(st.characters(exclude_characters='\r\n"\x00', codec="utf-8"), max_size=20), max_size=6)
)
def test_every_line_with_a_digit_is_an_address_or_refused(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    file = the_list(tmp_path_factory.mktemp("list"), "\n".join(lines))
    try:
        addresses = addresses_of(file)
    except StartRefused:
        return
    assert len(addresses) >= sum(any(c.isnumeric() for c in line) for line in lines)


@pytest.mark.parametrize("content", ["", "\n\n", "phone\n", ",\n"])
def test_a_list_of_nobody_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(StartRefused, match="holds no address"):
        addresses_of(the_list(tmp_path, content))
