"""What a person sees."""

import io

from garbo.cli.up.command import rows_of
from garbo.cli.up.plan import read_plan
from garbo.cli.up.process import how_it_ended
from garbo.cli.up.screen import Screen, wants_colour


def test_lines_stand_behind_the_name_of_their_process_without_colour_in_a_file() -> None:
    out = io.StringIO()
    Screen(out, {}).line("router", "decided")
    assert out.getvalue() == "router    | decided\n"


def test_colour_is_for_terminals_and_for_who_forces_it() -> None:
    out = io.StringIO()
    assert not wants_colour(out, {})
    assert wants_colour(out, {"FORCE_COLOR": "1"})
    assert not wants_colour(out, {"FORCE_COLOR": "1", "NO_COLOR": "1"})


def test_the_table_names_every_address_and_what_to_do_next() -> None:
    out = io.StringIO()
    plan = read_plan({})
    Screen(out, {}).table("Garbo is up (9 s)", rows_of(plan, services=True), ["garbo tail", "Ctrl-C"])
    said = out.getvalue()
    for address in ("8080", "8081", "8082", "8083", "8090", "127.0.0.1:19092", "127.0.0.1:15432"):
        assert address in said
    assert "next: garbo tail" in said


def test_a_database_password_is_not_shown() -> None:
    rows = rows_of(read_plan({}), services=False)
    assert "postgresql://garbo@127.0.0.1:15432/garbo" in [where for _, where, _ in rows]


def test_an_exit_code_is_told_as_a_shell_would() -> None:
    assert how_it_ended(1) == "exit code 1"
    assert how_it_ended(-9) == "exit code 137 (SIGKILL)"
