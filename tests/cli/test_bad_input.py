"""Bad input of every command ends with one sentence and exit code 2, never a traceback, never an echo of a number."""

import stat
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Hanbeon, Said
from tests.small_lake import ONE

RUBBISH = ("", "--", "-1", "nope", "'; drop table events; --", "\x1b[31m한글/../x", "a" * 3000)
ONE_ARGUMENT = [
    ["pull"],
    ["application", "show"],
    ["application", "list", "--state"],
    ["application", "list", "--service"],
    ["application", "list", "--limit"],
    ["application", "open", "--service"],
    ["approval", "suspend"],
    ["approval", "resume"],
    ["approval", "end"],
    ["approval", "grant", "--service"],
    ["consent", "show"],
    ["consent", "withdraw"],
    ["consent", "pause"],
    ["consent", "resume"],
    ["consent", "import"],
    ["consent", "renew"],
    ["consent", "grant", "--by"],
    ["consent", "grant", "--capacity"],
    ["representative", "record"],
    ["representative", "end"],
    ["death", "record"],
    ["death", "correct"],
    ["consent", "grant", "--service"],
    ["consent", "grant", "--application"],
    ["consent", "grant", "--identifier-file"],
    ["consent", "list", "--state"],
    ["consent", "list", "--service"],
    ["consent", "list", "--identifier-file"],
    ["trace", "authorisation"],
    ["trace", "application"],
    ["trace", "row"],
    ["sql"],
    ["world", "advance", "--days"],
    ["world", "build", "--people"],
    ["world", "truth"],
    ["nope"],
]
# What a command takes although it looks like rubbish: nothing to refuse there.
FINE = {("sql", ""), ("sql", "--")}


def assert_one_sentence(said: Said) -> None:
    assert said.code == 2, said
    assert len(said.err.strip().splitlines()) == 1
    assert said.err.strip().endswith((".", "`"))
    assert "Traceback" not in said.err + said.out
    assert "Something unexpected" not in said.err
    assert "\x1b" not in said.err


@pytest.mark.parametrize("command", ONE_ARGUMENT, ids=" ".join)
def test_rubbish_ends_with_a_sentence_and_exit_code_2(
    refused: Hanbeon, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO())
    for rubbish in RUBBISH:
        if (" ".join(command), rubbish) not in FINE:
            assert_one_sentence(refused(*command, rubbish))


@pytest.mark.parametrize(
    "arguments",
    [
        ["application", "show", "A-NOBODY", "--as-of", "yesterday"],
        ["application", "show", "A-NOBODY", "--as-of", "0001-01-01"],
        ["application", "show", "A-NOBODY", "--as-of", "9999-12-31"],
        ["application", "paper", "A-NOBODY", "FAMR"],
        ["application", "decide", "A-NOBODY", "approved"],
        ["application", "decide", "A-NOBODY", "perhaps"],
        ["consent", "grant"],
        ["consent", "grant", "--service", "SINGLE_PARENT"],
        ["consent", "grant", "--application", "A-NOBODY"],
        ["consent", "grant", "--application", "A", "--identifier-file", "-"],
        ["consent", "grant", "--identifier-file", "nothing.txt"],
        ["consent", "grant", "--service", "SINGLE_PARENT", "--identifier-file", "nothing.txt"],
        ["approval", "grant", "--service", "SINGLE_PARENT", "--document", "NOPE"],
        ["approval", "grant", "--service", "SINGLE_PARENT", "--until", "tomorrow"],
        ["approval", "grant", "--service", "SINGLE_PARENT", "--until", "1999-01-01"],
        ["trace", "row", "gold/family_relation_certificate", "0" * 32],
        ["trace", "row", "gold/nope", "x"],
        ["sql", "select 1; select 2"],
        ["sql", "copy bundles to 'x'"],
        ["run", "--show", "--json"],
        ["run", "--run-id", "../x"],
        ["erase", "--run-id", "한글"],
        ["publish", "--run-id", "a b"],
        ["recover", "--run-id", "a" * 121],
        ["world", "truth", "FAMR", "--out", "x", "--format", "xml"],
        ["world", "truth", "NOPE", "--out", "x"],
        ["world", "advance", "--days", "3"],
        ["world", "reset"],
        ["world", "serve"],
        ["sources", "--nope"],
        ["doctor", "extra"],
        ["erase", "extra"],
        ["trace", "row", "gold/family_relation_certificate", "0" * 32, "--reader", "\x00"],
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_a_sentence_and_exit_code_2(refused: Hanbeon, arguments: list[str]) -> None:
    assert_one_sentence(refused(*arguments))


@pytest.mark.parametrize(
    "command", [["consent", "withdraw"], ["application", "show"], ["pull"], ["nope"], ["trace", "row"]]
)
def test_a_number_typed_by_mistake_is_not_repeated_p8(refused: Hanbeon, command: list[str]) -> None:
    for number in (ONE, f"{ONE[:6]}-{ONE[6:]}"):
        said = refused(*command, number)
        assert said.code == 2
        assert number not in said.err + said.out
        assert ONE[6:] not in said.err + said.out


BAD_FILES = {
    "empty": b"",
    "blank": b"\n\n",
    "short": b"12\n",
    "letter": b"9021152345678\n902115234567x\n",
    "no text": b"\xff\xfe\x00",
    "full width": "９０２１１５２３４５６７８\n".encode(),
    "two columns": b"9021152345678,x\n",
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_identifier_file_names_the_line_and_not_the_value(
    refused: Hanbeon, tmp_path: Path, content: bytes
) -> None:
    file = tmp_path / "numbers.txt"
    file.write_bytes(content)

    said = refused("consent", "grant", "--service", "SINGLE_PARENT", "--identifier-file", str(file))

    assert_one_sentence(said)
    assert "9021152345678" not in said.err


BAD_SETTINGS = {
    "HANBEON_NOPE__X": "1",
    "HANBEON_HOME__NOPE": "1",
    "HANBEON_EXCHANGE__MINIMUM_GROUP": "few",
    "HANBEON_CONFIG": "nope.toml",
}


@pytest.mark.parametrize(("name", "value"), BAD_SETTINGS.items())
def test_a_wrong_setting_is_named(bare: Hanbeon, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    assert_one_sentence(bare("application", "list"))


def test_a_database_that_is_down_is_exit_code_3(bare: Hanbeon) -> None:
    said = bare("application", "list")

    assert said.code == 3
    assert len(said.err.strip().splitlines()) == 1


def test_something_unexpected_is_named_by_type_and_place_and_never_by_its_message_p8(
    bare: Hanbeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError(f"of {ONE}")

    monkeypatch.setattr("hanbeon.settings.load", broken)
    said = bare("application", "list")

    assert said.code == 1
    assert "ZeroDivisionError in cli/test_bad_input.py" in said.err
    assert ONE not in said.err
    assert "Traceback" not in said.err
    monkeypatch.setenv("HANBEON_DEBUG", "1")
    assert "Traceback" in bare("application", "list").err


def test_doctor_says_who_else_may_read_the_keys(hanbeon: Hanbeon, own_lake: object) -> None:
    import os

    keys = Path(os.environ["HANBEON_HOME__PATH"]) / "keys"
    key = next(keys.glob("*.key"))
    key.chmod(stat.S_IRUSR | stat.S_IROTH)

    said = hanbeon("doctor")

    assert said.code == 1
    assert key.name in said.out
