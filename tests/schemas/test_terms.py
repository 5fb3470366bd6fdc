"""The official domains: each fixes type, length and scale, and the physical type follows (P11)."""

import pytest

from schemas.terms import domains, terms


def test_the_domains_are_those_of_the_seventh_edition_without_the_abolished_ones() -> None:
    assert len(domains()) == 112
    assert {d.type for d in domains().values()} == {"CHAR", "VARCHAR", "NUMERIC", "DATETIME"}
    assert domains()["번호C9"].type == "CHAR"  # abolished as VARCHAR, made anew


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("연월일C8", ("varchar", "varchar(8)", "char(8)")),
        ("금액N15", ("bigint",)),
        ("면적N19,9", ("numeric(19,9)",)),
        ("연월일시분초D", ("timestamp",)),
    ],
)
def test_a_domain_says_how_it_is_stored(name: str, stored: tuple[str, ...]) -> None:
    assert domains()[name].physical_types == stored


def test_every_term_of_the_project_has_an_official_domain() -> None:
    assert {t.domain for t in terms().values()} <= set(domains())
