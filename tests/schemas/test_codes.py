"""Code lists say who defined each code, and refuse to be half a list."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.codes import HEADER, codes, digest, entries, names
from schemas.column import Column
from schemas.contract import load_all
from schemas.errors import MalformedContract


def columns_with_codes() -> Iterator[Any]:
    for contract in load_all():
        for column in (*contract.columns, *(c for g in contract.groups for c in g.columns)):
            if column.code_list:
                yield pytest.param(column, id=f"{contract.name}.{column.name}")


@pytest.mark.parametrize("name", names())
def test_every_list_has_codes_with_name_and_source(name: str) -> None:
    assert entries(name)
    assert all(e.code and e.name_ko and e.source for e in entries(name))


@pytest.mark.parametrize("column", list(columns_with_codes()))
def test_every_list_has_a_good_and_a_bad_example(column: Column) -> None:
    assert column.good_example in codes(column.code_list)
    assert column.bad_example not in codes(column.code_list)


def test_codes_known_as_official_are_told_from_local_ones() -> None:
    sources = {e.code: e.source for e in entries("fam_rel")}
    assert {code for code, source in sources.items() if source != "local"} == {"001", "002"}


@pytest.mark.parametrize(
    ("flaw", "text"),
    [
        ("no such list", None),
        ("is empty", ",".join(HEADER) + "\n"),
        ("names a code twice", ",".join(HEADER) + "\n1,하나,,,,local\n1,둘,,,,local\n"),
        ("must start with the columns", "code,name\n1,하나\n"),
        ("code, name_ko or source is missing", ",".join(HEADER) + "\n1,하나,,,,\n"),
    ],
)
def test_a_list_that_is_no_list_is_refused(tmp_path: Path, flaw: str, text: str | None) -> None:
    if text is None:
        flaw = "There is no code list"
    else:
        (tmp_path / "broken.csv").write_text(text, encoding="utf-8")
    with pytest.raises(MalformedContract, match=flaw):
        entries("broken", tmp_path)


def test_f25_a_list_is_pinned_by_its_digest() -> None:
    assert len({digest(n) for n in names()}) == len(names())
    assert digest("yn") == "b2315eb9c29cecc50e49d75cf8707fd95fdcfe7f5ff189a8e5177f145aede3c6"
