"""What is wrong with a row, in words without a value: whose it is, which document, which columns, of which group."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from verify import rows
from verify.events import Life
from verify.standing import Scope, Standing, instant, standing

KEY = (7, "FAMR", "general")
AT = datetime(2026, 6, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OWN = {"_authorisation_id": "a", "_subject_key": 7, "_variant": "general"}


def scope(*columns: str, key: tuple[int, str, str] = KEY, recipient: str = "mogef", **more: Any) -> Scope:
    return Scope(key, frozenset(columns), recipient, **{"kept_out": frozenset(), **more})


A = Standing({"a": [scope("ISSU_NO", "relatives.FAM_NM", "relatives.DTH_YN"), scope("X", key=(8, "RRT", "general"))]})


def wrong(table: str, row: dict[str, Any], stood: Standing = A, documents: tuple[str, ...] = ("FAMR",)) -> list[str]:
    count, found = rows.wrong(table, [row], stood, set(documents))
    assert count == 1
    assert set(found.values()) <= {1}
    return list(found)


def test_each_row_is_counted_and_each_finding_once_a_row() -> None:
    stranger = {**OWN, "_subject_key": 9}
    found = rows.wrong("gold/x", [OWN, stranger, stranger, {}], A, {"FAMR"})
    assert found == (4, {"their authorisation is about somebody else": 2, rows.NOT_IN_FORCE: 1})


@pytest.mark.parametrize(
    ("table", "changes", "said"),
    [
        ("gold/x", {}, None),
        ("gold/x", {"_authorisation_id": "b"}, rows.NOT_IN_FORCE),
        ("gold/x", {"_authorisation_id": None}, rows.NOT_IN_FORCE),
        ("gold/x", {"_subject_key": None}, "they do not say whom they are about"),
        ("gold/x", {"_variant": "detailed"}, "their authorisation is about somebody else"),
        ("gold/x", {"_subject_key": 8}, "their authorisation is about another document"),
        ("shares/mohw/x", {}, "their authorisation names another recipient"),
        ("shares/mogef/x", {}, None),
    ],
)
def test_a_row_names_an_authorisation_about_its_subject_and_document(
    table: str, changes: dict[str, Any], said: str | None
) -> None:
    assert wrong(table, OWN | changes) == ([said] if said else [])


@pytest.mark.parametrize(
    ("table", "columns", "said"),
    [
        ("gold/x", {"ISSU_NO": "1", "OTHER": None}, None),
        ("gold/x", {"B": "1", "A": "1"}, "they hold A, B, which no authorisation lets stand"),
        ("gold/x__relatives", {"FAM_NM": "x"}, None),
        ("gold/x__relatives", {"ISSU_NO": "x"}, "they hold relatives.ISSU_NO, which no authorisation lets stand"),
        ("bronze/h/x", {"issu_no": "1", "b": None}, None),
        ("bronze/h/x", {"issu_no": "1", "b": "1"}, "they hold more columns than authorisations let stand"),
        ("quarantine/h/x", {"a": "1", "b": "1"}, "they hold more columns than authorisations let stand"),
        ("bronze/h/x", {"relatives": [{"_line_no": 1, "a": "1", "b": "1", "c": None}]}, None),
        ("bronze/h/x", {"relatives": [{"a": "1", "b": "1", "c": "1"}]},
         "lines of relatives hold more columns than authorisations let stand"),
        ("bronze/h/x", {"relatives": [{"a": "1"}, {"a": "1", "b": "1", "c": "1"}]},
         "lines of relatives hold more columns than authorisations let stand"),
        ("bronze/h/x", {"owners": [{"a": None}]}, "lines of owners hold more columns than authorisations let stand"),
        ("bronze/h/x", {"owners": []}, None),
    ],
)  # fmt: skip
def test_p2_a_row_holds_no_column_that_nothing_lets_stand(
    table: str, columns: dict[str, Any], said: str | None
) -> None:
    assert wrong(table, OWN | columns) == ([said] if said else [])


def test_a_share_s_row_is_of_whoever_accounts_for_most_of_it() -> None:
    stood = Standing({"a": [scope("ISSU_NO"), scope("GNDR_CD", "NM", key=(8, "FAMR", "general"))]})
    row = {"_authorisation_id": "a"}
    assert wrong("shares/mogef/x", row | {"GNDR_CD": "1", "NM": "x"}, stood) == []
    said = ["they hold ISSU_NO, which no authorisation lets stand"]
    assert wrong("shares/mogef/x", row | {"GNDR_CD": "1", "NM": "x", "ISSU_NO": "1"}, stood) == said


def test_a_holder_s_row_is_good_if_it_is_for_one_of_its_documents() -> None:
    stood = Standing({"a": [scope("A", key=(7, "RRT", "general")), scope("A", "B")]})
    row = OWN | {"a": "1", "b": "1"}
    assert wrong("bronze/h/x", row, stood, ("FAMR", "RRT")) == []
    assert wrong("bronze/h/x", row | {"c": "1"}, stood, ("FAMR", "RRT"))
    assert wrong("bronze/h/x", row, stood, ("RRT",))


def test_columns_are_those_of_all_authorisations_in_a_share_those_of_its_recipient() -> None:
    stood = Standing({"a": [scope("ISSU_NO")], "b": [scope("GNDR_CD", recipient="mohw")]})
    both = OWN | {"ISSU_NO": "1", "GNDR_CD": "1"}
    assert wrong("gold/x", both, stood) == []
    assert wrong("shares/mogef/x", both, stood) == ["they hold GNDR_CD, which no authorisation lets stand"]
    assert stood.columns(KEY, None) == {"ISSU_NO", "GNDR_CD"}
    assert stood.columns(KEY, "mohw") == {"GNDR_CD"}
    assert stood.columns((9, "FAMR", "general"), None) == frozenset()


def test_what_does_not_stand_lends_no_column_and_no_row() -> None:
    stood = Standing({"a": [scope("ISSU_NO", stands=False)], "b": [scope("GNDR_CD")]})
    assert wrong("gold/x", OWN | {"GNDR_CD": "1"}, stood) == [rows.NOTHING_STANDS]
    assert stood.columns(KEY, None) == {"GNDR_CD"}


def test_no_line_is_about_a_person_whom_a_block_keeps_out() -> None:
    stood = Standing({"a": [scope("r.NM", kept_out=frozenset({9}))], "b": [scope("r.NM", kept_out=frozenset({8}))]})
    assert stood.kept_out(KEY) == {8, 9}
    said = ["they show a person whom a disclosure block keeps out"]
    for person, found in ((9, said), (8, said), (6, []), (None, [])):
        assert wrong("gold/x__r", OWN | {"_person_key": person}, stood) == found
        assert wrong("bronze/h/x", OWN | {"r": [{"_person_key": 5}, {"_person_key": person}]}, stood) == found
    assert wrong("bronze/h/x", OWN | {"r": ["no line"]}, Standing({"a": [scope("NM")]}), ()) != said


def test_the_document_of_a_table_is_what_most_rows_name() -> None:
    counted = rows.named([OWN, OWN, OWN | {"_subject_key": 8}, {"_authorisation_id": None}, {}], A)
    assert dict(counted) == {"FAMR": 2, "RRT": 1}
    assert rows.most_named(counted) == {"FAMR"}
    assert rows.named([{"_authorisation_id": "a"}], A) == {"FAMR": 1, "RRT": 1}
    assert rows.most_named(rows.named([{}], A)) == set()


@pytest.mark.parametrize(
    ("table", "document"),
    [("bronze/scourt/family", "scourt/family"), ("quarantine/scourt/family", "scourt/family"),
     ("gold/family__relatives", "family"), ("shares/mogef/family__relatives", "family"), ("gold/family", "family")],
)  # fmt: skip
def test_tables_of_one_document_have_their_name_in_common(table: str, document: str) -> None:
    assert rows.document_of(table) == document


def text(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


FROM, UNTIL = text(AT), text(AT + 10 * SECOND)
GRANT = {
    "authorisation_id": "a", "kind": "consent", "grantor_key": "7", "grantor_capacity": None, "recipient": "mogef",
    "purpose": "welfare", "valid_from": FROM, "valid_until": UNTIL, "retain_until": UNTIL, "evidence_digest": "ab",
    "scopes": [{"subject_key": "7", "document_type": "FAMR", "variant": "general", "holder": "h", "columns": ["A"]}],
}  # fmt: skip
AGREED = {
    "holder": "h", "recipient": "mogef", "document_type": "FAMR", "purpose": "welfare", "valid_from": FROM,
    "valid_until": UNTIL,
}  # fmt: skip
GUARD = {
    "represented_key": "7", "representative_key": "9", "capacity": "guardian_of_ward", "valid_from": FROM,
    "valid_until": None,
}  # fmt: skip
BY_GUARD = {"grantor_key": "9", "grantor_capacity": "guardian_of_ward"}
BY_HEIR = {"grantor_key": "9", "grantor_capacity": "heir"}


def life(name: str, state: str, said: dict[str, Any]) -> Life:
    return Life(name, state, said)


def stood(grant: dict[str, Any], *others: Life, at: datetime = AT, state: str = "granted") -> list[Scope] | None:
    lives = [life("authorisation", state, GRANT | grant), life("approval", "active", AGREED), *others]
    own = {(one.life, str(number)): one for number, one in enumerate(lives)}
    return standing(own, at).scopes.get("a")


def test_an_open_authorisation_with_an_approval_stands() -> None:
    assert stood({}) == [Scope(KEY, frozenset({"A"}), "mogef", frozenset(), True)]


@pytest.mark.parametrize(
    ("grant", "state", "after"),
    [({}, "paused", 0), ({}, "granted", -1), ({}, "granted", 10),
     ({"retain_until": text(AT + 5 * SECOND)}, "granted", 5)],
)  # fmt: skip
def test_what_is_not_open_is_not_there(grant: dict[str, Any], state: str, after: int) -> None:
    assert stood(grant, at=AT + after * SECOND, state=state) is None


def test_it_is_open_to_its_last_second() -> None:
    assert stood({}, at=AT + 9 * SECOND)
    assert stood({"retain_until": text(AT + 5 * SECOND)}, at=AT + 4 * SECOND)


STANDS: dict[str, tuple[dict[str, Any], list[Life], bool]] = {
    "by statute, of nobody": ({"kind": "statute", "grantor_key": None, "evidence_digest": None}, [], True),
    "consent of nobody": ({"grantor_key": None}, [], False),
    "consent without evidence": ({"evidence_digest": None}, [], False),
    "the grantor is dead": ({}, [life("death", "recorded", {"subject_key": "7"})], False),
    "a death corrected": ({}, [life("death", "corrected", {"subject_key": "7"})], True),
    "somebody else consents": ({"grantor_key": "9"}, [], False),
    "a guardian": (BY_GUARD, [life("representation", "recorded", GUARD)], True),
    "in another capacity": (
        {"grantor_key": "9", "grantor_capacity": "owner"}, [life("representation", "recorded", GUARD)], False,
    ),
    "a guardianship ended": (BY_GUARD, [life("representation", "ended", GUARD)], False),
    "a guardianship over now": (BY_GUARD, [life("representation", "recorded", GUARD | {"valid_until": FROM})], False),
    "one that ends later": (
        BY_GUARD, [life("representation", "recorded", GUARD | {"valid_until": text(AT + SECOND)})], True,
    ),
    "one that begins later": (
        BY_GUARD, [life("representation", "recorded", GUARD | {"valid_from": text(AT + SECOND)})], False,
    ),
    "a guardian of the dead": (
        BY_GUARD,
        [life("representation", "recorded", GUARD), life("death", "recorded", {"subject_key": "7"})], False,
    ),
    "an heir of the dead": (
        BY_HEIR,
        [life("representation", "recorded", GUARD | {"capacity": "heir"}),
         life("death", "recorded", {"subject_key": "7"})], True,
    ),
    "an heir of the living": (BY_HEIR, [life("representation", "recorded", GUARD | {"capacity": "heir"})], False),
    "a block against the grantor": (
        BY_GUARD,
        [life("representation", "recorded", GUARD),
         life("block", "blocked", {"restricted_key": "9", "victim_key": "7"})], False,
    ),
    "a block lifted": (
        BY_GUARD,
        [life("representation", "recorded", GUARD),
         life("block", "lifted", {"restricted_key": "9", "victim_key": "7"})], True,
    ),
    "court trial data": (
        {"scopes": [{**GRANT["scopes"][0], "document_type": "INSV"}]},  # type: ignore[index]
        [life("approval", "active", AGREED | {"document_type": "INSV"})], False,
    ),
    "another purpose": ({"purpose": "tax"}, [], False),
    "another holder": ({"scopes": [{**GRANT["scopes"][0], "holder": "x"}]}, [], False),  # type: ignore[index]
}  # fmt: skip


@pytest.mark.parametrize("what", STANDS)
def test_p1_what_stands_against_an_authorisation(what: str) -> None:
    grant, others, expected = STANDS[what]
    found = stood(grant, *others)
    assert found is not None
    assert [one.stands for one in found] == [expected]


@pytest.mark.parametrize(
    ("state", "changes", "expected"),
    [("active", {}, True), ("suspended", {}, False), ("active", {"valid_until": FROM}, False),
     ("active", {"valid_from": text(AT + SECOND)}, False), ("active", {"valid_until": text(AT + SECOND)}, True)],
)  # fmt: skip
def test_an_approval_is_active_and_of_now(state: str, changes: dict[str, str], expected: bool) -> None:
    lives = {
        ("authorisation", "a"): life("authorisation", "granted", GRANT),
        ("approval", "p"): life("approval", state, AGREED | changes),
    }
    (one,) = standing(lives, AT).scopes["a"]
    assert one.stands == expected


def test_a_life_whose_events_were_emptied_says_nothing() -> None:
    gone = Life("authorisation", "granted", GRANT, emptied=1)
    assert standing({("authorisation", "a"): gone}, AT).scopes == {}


def test_victims_are_kept_out_where_subject_or_grantor_is_restricted() -> None:
    block = [life("block", "blocked", {"restricted_key": r, "victim_key": v}) for r, v in (("7", "3"), ("9", "4"))]
    found = stood(BY_GUARD, *block, life("representation", "recorded", GUARD))
    assert found is not None
    assert found[0].kept_out == {3, 4}
    assert found[0].stands


def test_an_instant_is_utc() -> None:
    assert instant("2026-06-01T00:00:00.000001Z") == AT + timedelta(microseconds=1)
