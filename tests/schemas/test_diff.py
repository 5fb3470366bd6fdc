"""Each kind of change of a contract gives just its finding, says whom it reaches, and needs a major version or not."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from hanbeon.clock import SEOUL
from schemas import codes
from schemas.changes import MEANING, Kind, Severity
from schemas.column_diff import CodesOf, columns_changed
from schemas.contract import FOLDER, Contract, load_all
from schemas.diff import Difference, Side, diff, side
from schemas.errors import MalformedContract
from tests.two_versions import loaded, second_version

Content = dict[str, Any]
HOUSEHOLD, MEMBERS = "published/household_extract.yaml", "published/household_extract__members.yaml"
LINES, REGISTER = "published/income_certificate__lines.yaml", "source/mois__resident_register.yaml"
BASIC = "published/basic_certificate.yaml"
DISABILITY, BATCH = "source/mohw__disability.yaml", "source/nhis__eligibility.yaml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's contracts and code lists, to change."""
    shutil.copytree(codes.FOLDER, tmp_path / "codes")
    shutil.copytree(FOLDER, tmp_path / "contracts")
    return tmp_path / "contracts"


def edit(file: Path, mutate: Callable[[Content], Any]) -> None:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    mutate(content)
    file.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def changed(file: Path, mutate: Callable[[Content], Any]) -> Difference:
    edit(file, mutate)
    return diff(side(FOLDER / file.parent.name / file.name), side(file))


def properties(content: Content) -> list[Content]:
    found: list[Content] = content["schema"][0]["properties"]
    return found


def property_of(content: Content, name: str) -> Content:
    inside = [i for p in properties(content) if "items" in p for i in p["items"]["properties"]]
    return next(p for p in (*properties(content), *inside) if p["name"] == name)


def custom(holder: Content, name: str) -> Content:
    found: Content = next(p for p in holder["customProperties"] if p["property"] == name)
    return found


def put(column_name: str, **values: Any) -> Callable[[Content], None]:
    return lambda c: property_of(c, column_name).update(values)


def option(column_name: str, **values: Any) -> Callable[[Content], None]:
    def mutate(content: Content) -> None:
        options = property_of(content, column_name).setdefault("logicalTypeOptions", {})
        options.update(values)
        property_of(content, column_name)["logicalTypeOptions"] = {k: v for k, v in options.items() if v is not None}

    return mutate


def own(column_name: str, name: str, value: Any) -> Callable[[Content], None]:
    return lambda c: custom(property_of(c, column_name), name).update(value=value)


def whole(name: str, value: Any) -> Callable[[Content], None]:
    return lambda c: custom(c, name).update(value=value)


def without(column_name: str) -> Callable[[Content], None]:
    def mutate(content: Content) -> None:
        for home in (properties(content), *(p["items"]["properties"] for p in properties(content) if "items" in p)):
            home[:] = [p for p in home if p["name"] != column_name]

    return mutate


def added(is_required: bool) -> Callable[[Content], None]:
    new = {"name": "new_one", "logicalType": "string", "physicalType": "varchar", "required": is_required}
    return lambda c: properties(c).append(new)


def group_added(content: Content) -> None:
    item = {"name": "x", "logicalType": "string"}
    properties(content).append(
        {"name": "pets", "logicalType": "array", "items": {"logicalType": "object", "properties": [item]}}
    )


CASES: list[tuple[str, Callable[[Content], Any], Kind, str]] = [
    (HOUSEHOLD, without("STDG_CD"), Kind.COLUMN_REMOVED, "STDG_CD"),
    (REGISTER, without("mbr_nm"), Kind.COLUMN_REMOVED, "members.mbr_nm"),
    (HOUSEHOLD, put("STDG_CD", name="STDG_CODE"), Kind.COLUMN_RENAMED, "STDG_CD"),
    (REGISTER, added(True), Kind.REQUIRED_COLUMN_ADDED, "new_one"),
    (REGISTER, added(False), Kind.COLUMN_ADDED, "new_one"),
    (HOUSEHOLD, added(True), Kind.COLUMN_ADDED, "new_one"),
    (LINES, put("TSL_AMT", logicalType="number"), Kind.TYPE_CHANGED, "TSL_AMT"),
    (LINES, put("TSL_AMT", physicalType="numeric"), Kind.TYPE_CHANGED, "TSL_AMT"),
    (HOUSEHOLD, put("DONG_CD", required=True), Kind.BECAME_REQUIRED, "DONG_CD"),
    (HOUSEHOLD, put("HSHLDR_NM", required=False), Kind.BECAME_OPTIONAL, "HSHLDR_NM"),
    (HOUSEHOLD, option("HSHLDR_NM", maxLength=99), Kind.LENGTH_NARROWED, "HSHLDR_NM"),
    (HOUSEHOLD, option("HSHLDR_NM", minLength=2), Kind.LENGTH_NARROWED, "HSHLDR_NM"),
    (HOUSEHOLD, option("HSHLDR_NM", maxLength=101), Kind.LENGTH_WIDENED, "HSHLDR_NM"),
    (HOUSEHOLD, option("HSHLDR_NM", maxLength=None), Kind.LENGTH_WIDENED, "HSHLDR_NM"),
    (LINES, option("TSL_AMT", maximum=10), Kind.RANGE_NARROWED, "TSL_AMT"),
    (LINES, option("TSL_AMT", minimum=-10), Kind.RANGE_WIDENED, "TSL_AMT"),
    (HOUSEHOLD, option("ZIP", pattern="^[0-4]{5}$"), Kind.PATTERN_NARROWED, "ZIP"),
    (HOUSEHOLD, option("HSHLDR_NM", pattern="^.+$"), Kind.PATTERN_NARROWED, "HSHLDR_NM"),
    (HOUSEHOLD, option("ZIP", pattern=None), Kind.PATTERN_WIDENED, "ZIP"),
    (HOUSEHOLD, option("STDG_CD", pattern="^.+$"), Kind.WORDING_CHANGED, "STDG_CD"),
    (REGISTER, own("rrn", "identifierKind", "FRN"), Kind.KEY_CHANGED, "rrn"),
    (REGISTER, whole("subjectIdentifierKind", "FRN"), Kind.KEY_CHANGED, ""),
    (REGISTER, own("zip", "publishes", "STDG_CD"), Kind.PUBLISHES_CHANGED, "zip"),
    (BATCH, own("sbsr_nm", "bytes", [900, 2]), Kind.DELIVERY_CHANGED, "sbsr_nm"),
    (DISABILITY, lambda c: custom(c, "delivery")["value"].update(path="/v2"), Kind.DELIVERY_CHANGED, ""),
    (REGISTER, without("members"), Kind.GROUP_REMOVED, "members"),
    (REGISTER, group_added, Kind.GROUP_ADDED, "pets"),
    (REGISTER, lambda c: custom(c, "variants")["value"].remove("head_only"), Kind.VARIANT_REMOVED, ""),
    (REGISTER, lambda c: custom(c, "variants")["value"].append("all"), Kind.VARIANT_ADDED, ""),
    (REGISTER, lambda c: custom(c, "variants")["value"].reverse(), Kind.VARIANTS_REORDERED, ""),
    (DISABILITY, whole("holder", "mois"), Kind.IDENTITY_CHANGED, ""),
    (DISABILITY, whole("documentType", "RRT"), Kind.IDENTITY_CHANGED, ""),
    (DISABILITY, whole("deletes", "absence"), Kind.IDENTITY_CHANGED, ""),
    (DISABILITY, lambda c: c["schema"][0].update(description="One row per person."), Kind.IDENTITY_CHANGED, ""),
    (HOUSEHOLD, put("ZIP", classification="direct"), Kind.CLASSIFICATION_CHANGED, "ZIP"),
    (HOUSEHOLD, own("ZIP", "domain", "번호C5"), Kind.DOMAIN_CHANGED, "ZIP"),
    (REGISTER, own("stdg_cd", "standardised", {"by": "region", "asOf": "MVIN_YMD"}), Kind.RULE_CHANGED, "stdg_cd"),
    (BASIC, own("BRTH_YMD", "partialDay", False), Kind.PATTERN_NARROWED, "BRTH_YMD"),
    (DISABILITY, whole("maximumFailingShare", 0.04), Kind.TERMS_CHANGED, ""),
    (DISABILITY, whole("legalBasis", ["장애인복지법 제33조"]), Kind.TERMS_CHANGED, ""),
    (DISABILITY, lambda c: c["slaProperties"][0].update(value=2), Kind.TERMS_CHANGED, ""),
    (HOUSEHOLD, put("ZIP", unread=True), Kind.TERMS_CHANGED, ""),
    (HOUSEHOLD, put("ZIP", examples=["00000"]), Kind.EXAMPLE_CHANGED, "ZIP"),
    (HOUSEHOLD, own("ZIP", "badExample", "000000"), Kind.EXAMPLE_CHANGED, "ZIP"),
    (HOUSEHOLD, put("ZIP", businessName="새우편번호"), Kind.WORDING_CHANGED, "ZIP"),
    (HOUSEHOLD, put("ZIP", description="Another."), Kind.WORDING_CHANGED, "ZIP"),
    (HOUSEHOLD, own("ZIP", "definedBy", "주민등록법 제29조"), Kind.WORDING_CHANGED, "ZIP"),
    (HOUSEHOLD, lambda c: c["description"].update(usage="Another."), Kind.WORDING_CHANGED, ""),
    (HOUSEHOLD, lambda c: c.update(version="0.9.0"), Kind.VERSION_LOWERED, ""),
]  # fmt: skip


@pytest.mark.parametrize(("file", "mutate", "kind", "place"), CASES)
def test_one_change_gives_just_its_finding(
    copy: Path, file: str, mutate: Callable[[Content], Any], kind: Kind, place: str
) -> None:
    found = changed(copy / file, mutate)
    assert [(c.kind, c.place) for c in found.changes] == [(kind, place)]
    assert bool(found.unversioned) == (MEANING[kind][0] is Severity.BREAKING)


@pytest.mark.parametrize(("file", "mutate", "kind", "place"), CASES)
def test_a_new_major_version_allows_every_change(
    copy: Path, file: str, mutate: Callable[[Content], Any], kind: Kind, place: str
) -> None:
    def also(content: Content) -> None:
        mutate(content)
        content["version"] = "3.0.0"

    found = changed(copy / file, also)
    assert found.unversioned == ()
    assert [(c.kind, c.place) for c in found.changes] == ([] if kind is Kind.VERSION_LOWERED else [(kind, place)])


@pytest.mark.parametrize("version", ["1.0.1", "1.9.0"])
def test_a_minor_version_does_not_allow_a_break(copy: Path, version: str) -> None:
    def mutate(content: Content) -> None:
        without("ZIP")(content)
        content["version"] = version

    assert changed(copy / HOUSEHOLD, mutate).unversioned == ("urn:hanbeon:published:household_extract",)


def test_a_contract_that_came_is_compatible_and_one_that_went_breaks(copy: Path) -> None:
    file = copy / MEMBERS
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    file.unlink()
    gone, come = diff(side(FOLDER), side(copy)), diff(side(copy), side(FOLDER))
    assert [(c.kind, c.contract) for c in gone.changes] == [(Kind.CONTRACT_REMOVED, content["id"])]
    assert [(c.kind, c.contract) for c in come.changes] == [(Kind.CONTRACT_ADDED, content["id"])]
    assert gone.unversioned == (content["id"],)
    assert come.unversioned == ()


def test_codes_that_came_or_went_are_found_at_every_column_that_uses_them(copy: Path) -> None:
    using = {(c.id, col.name) for c in load_all() for col in c.columns if col.code_list == "earn_se"}
    using |= {
        (c.id, f"{g.name}.{col.name}")
        for c in load_all()
        for g in c.groups
        for col in g.columns
        if col.code_list == "earn_se"
    }
    file = copy.parent / "codes" / "earn_se.csv"
    *kept, last = file.read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(kept) + "\n", encoding="utf-8")
    went, came = diff(side(FOLDER), side(copy)), diff(side(copy), side(FOLDER))
    assert len(using) > 1
    assert {(c.contract, c.place) for c in went.changes if c.kind is Kind.CODES_REMOVED} == using
    assert {(c.contract, c.place) for c in came.changes if c.kind is Kind.CODES_ADDED} == using
    assert last.split(",")[0] in went.changes[0].detail
    assert len(went.changes) == len(came.changes) == len(using)
    assert went.unversioned
    assert not came.unversioned


def test_every_kind_of_change_is_shown_by_some_test_and_said_in_words() -> None:
    elsewhere = {Kind.CONTRACT_ADDED, Kind.CONTRACT_REMOVED, Kind.CODES_ADDED, Kind.CODES_REMOVED}
    elsewhere |= {Kind.CONTRACT_ENDED, Kind.OVERLAP_SHORTENED, Kind.CONSENT_CHANGED}
    assert {kind for _, _, kind, _ in CASES} | elsewhere == set(Kind) == set(MEANING)


@pytest.mark.parametrize("contract", load_all(), ids=lambda c: c.id.removeprefix("urn:hanbeon:"))
def test_removing_any_column_of_any_contract_is_found_at_that_column(contract: Contract) -> None:
    lists = CodesOf(codes.codes, codes.codes)
    for group, columns in ((None, contract.columns), *((g.name, g.columns) for g in contract.groups)):
        for column in columns:
            left = [c for c in columns if c is not column]
            (found,) = columns_changed(columns, left, group, contract.kind, lists)
            assert (found.kind, found.place) == (
                Kind.COLUMN_REMOVED,
                f"{group}.{column.name}" if group else column.name,
            )


def test_a_change_names_the_services_and_recipients_that_it_reaches(copy: Path) -> None:
    (found,) = changed(copy / REGISTER, without("mbr_nm")).changes
    assert "SINGLE_PARENT" in found.services
    assert "mogef" in found.recipients
    (unread,) = changed(copy / LINES, without("DCSN_TXAMT")).changes[-1:]
    assert "SINGLE_PARENT" not in unread.services
    (variant,) = (c for c in _variant_gone(copy).changes if c.kind is Kind.VARIANT_REMOVED)
    assert "SINGLE_PARENT" in variant.services


def _variant_gone(copy: Path) -> Difference:
    return changed(copy / REGISTER, lambda c: custom(c, "variants")["value"].remove("members_included"))


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """The contracts of the income certificate."""
    for file in (
        f for f in FOLDER.rglob("*.yaml") if f.stem.startswith("income_certificate") or f.stem == "nts__income"
    ):
        (tmp_path / "one" / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(file, tmp_path / "one" / file.parent.name)
    return tmp_path / "one"


@pytest.fixture
def two(one: Path, tmp_path: Path) -> Path:
    """The same with a second version, which renames the earner's name."""
    shutil.copytree(one, tmp_path / "two")
    second_version(tmp_path / "two", "income_certificate", "nts__income", {"INERN_NM": ("FLNM", "성명")})
    return tmp_path / "two"


BEFORE_THE_END = datetime(2027, 3, 31, 23, 59, tzinfo=SEOUL)
AFTER_THE_END = datetime(2027, 4, 1, tzinfo=SEOUL)
V1, V2 = (f"urn:hanbeon:published:income_certificate{v}" for v in ("", "_v2"))


def compared(before: Path, after: Path, at: datetime = BEFORE_THE_END) -> Difference:
    sides = (Side({c.id: c for c in loaded(folder)}, codes.FOLDER, is_file=False) for folder in (before, after))
    return diff(*sides, at=at)


def test_a_new_version_beside_the_former_is_allowed_and_says_what_it_changes(one: Path, two: Path) -> None:
    found = compared(one, two)
    assert (found.unversioned, found.unkept) == ((), ())
    changes = {(c.contract, c.kind, c.place, c.detail) for c in found.changes if c.severity is Severity.BREAKING}
    source_id = "urn:hanbeon:source:nts:income"
    assert changes == {
        (V2, Kind.COLUMN_RENAMED, "INERN_NM", "to FLNM"),
        (source_id, Kind.PUBLISHES_CHANGED, "inern_nm", "INERN_NM to FLNM"),
        (source_id, Kind.IDENTITY_CHANGED, "", "published: income_certificate to income_certificate_v2"),
    }
    (renamed,) = (c for c in found.changes if c.kind is Kind.COLUMN_RENAMED)
    assert "mogef" in renamed.recipients


def test_a_breaking_version_without_the_former_one_is_a_finding(one: Path, two: Path) -> None:
    for file in (two / "published").glob("income_certificate*.yaml"):
        if "_v2" not in file.stem:
            file.unlink()
    found = compared(one, two)
    assert found.unkept == (V2,)
    assert found.unversioned == (V1, f"{V1}__lines")


def test_a_former_version_without_a_day_or_with_one_that_is_past_keeps_nothing(one: Path, two: Path) -> None:
    assert compared(one, two, AFTER_THE_END).unkept == (V2,)
    edit(two / "published/income_certificate.yaml", lambda c: c.pop("slaProperties"))
    assert compared(one, two).unkept == (V2,)


def test_a_document_s_table_does_not_change_under_its_readers_whatever_its_version(one: Path, tmp_path: Path) -> None:
    shutil.copytree(one, tmp_path / "other")
    edit(tmp_path / "other" / LINES, lambda c: without("TSL_AMT")(c) or c.update(version="2.0.0"))
    found = compared(one, tmp_path / "other")
    assert (found.unversioned, found.unkept) == ((), (f"{V1}__lines",))


def test_an_overlap_is_not_shortened_and_its_contract_goes_only_when_it_is_over(two: Path, tmp_path: Path) -> None:
    shorter, without_it = tmp_path / "shorter", tmp_path / "without"
    shutil.copytree(two, shorter)
    shutil.copytree(two, without_it)
    edit(shorter / "published/income_certificate.yaml", lambda c: c["slaProperties"][0].update(value="2027-03-30"))
    shortened = compared(two, shorter)
    assert Kind.OVERLAP_SHORTENED in [c.kind for c in shortened.changes]
    assert shortened.unversioned == (V1,)
    assert compared(shorter, two).unversioned == ()
    for name in ("income_certificate", "income_certificate__lines"):
        (without_it / "published" / f"{name}.yaml").unlink()
    early, late = compared(two, without_it), compared(two, without_it, AFTER_THE_END)
    assert early.unversioned == (V1, f"{V1}__lines")
    assert [c.kind for c in late.changes] == [Kind.CONTRACT_ENDED, Kind.CONTRACT_ENDED]
    assert late.unversioned == ()


def test_what_given_consents_no_longer_cover_is_said(copy: Path, one: Path, two: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(two, other)
    newest = other / "published/income_certificate_v2.yaml"
    edit(newest, own("FLNM", "consentedAs", "EARNER"))
    (found,) = compared(two, other).changes
    assert (found.kind, found.place, found.detail) == (Kind.CONSENT_CHANGED, "FLNM", "INERN_NM to EARNER")
    (renamed,) = (c for c in compared(one, other).changes if c.kind is Kind.COLUMN_REMOVED)
    assert renamed.place == "INERN_NM"
    (published,) = changed(copy / REGISTER, own("zip", "publishes", "STDG_CD")).changes
    assert published.detail == "ZIP to STDG_CD; consents that were given do not cover it (consentedAs)"


def test_the_same_contracts_do_not_differ(copy: Path) -> None:
    assert diff(side(FOLDER), side(copy)) == Difference((), ())


def test_a_file_is_not_compared_with_a_folder() -> None:
    with pytest.raises(MalformedContract, match="A file is compared with a file"):
        diff(side(FOLDER), side(FOLDER / HOUSEHOLD))


def test_a_folder_without_contracts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedContract, match="holds no contract"):
        side(tmp_path)
