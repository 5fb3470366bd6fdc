"""What is shown before anybody consents: every item that the law wants, in two languages, under one hash."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import rfc8785

from consent.model import Event
from hanbeon.errors import UsageError
from schemas import notices
from schemas.column import Column
from schemas.contract import source
from schemas.services import Service, service, services

UNTIL = datetime(2026, 9, 1, tzinfo=UTC)
KEPT = datetime(2026, 10, 1, tzinfo=UTC)
ASKED = [s for s in services() if s.authorisation != "statute"]
# Article -> the items that it wants shown.
WANTED = {
    "전자정부법 제42조": {"purpose", "documents", "agency"},
    "개인정보 보호법 제15조 제2항": {"purpose", "documents", "retention", "refusal"},
    "개인정보 보호법 제17조 제2항": {"agency", "recipient_purpose", "documents", "retention", "refusal"},
    "개인정보 보호법 제18조 제3항": {"agency", "recipient_purpose", "documents", "retention", "refusal"},
    "개인정보 보호법 제24조의2": {"resident_number"},
}


def shown(chosen: Service, given: frozenset[str] | None = None, version: str = notices.CURRENT) -> notices.Notice:
    own = tuple(r for r in chosen.data_requirements if r.authorisation == chosen.authorisation)
    return notices.notice(chosen, own, UNTIL, KEPT, given, version)


@pytest.mark.parametrize("chosen", ASKED, ids=lambda s: s.id)
@pytest.mark.parametrize("version", notices.versions())
def test_every_item_that_the_law_wants_is_shown_in_both_languages(chosen: Service, version: str) -> None:
    notice = shown(chosen, version=version)
    for article, wanted in WANTED.items():
        assert {i.id for i in notice.items if any(a.startswith(article) for a in i.articles)} >= wanted, article
    for item in notice.items:
        assert re.search("[가-힣]", item.ko)
        assert re.search("[A-Za-z]{3}", item.en)
        assert "{" not in item.ko + item.en
    for language in ("ko", "en"):
        assert "2026-09-01" in notice.text(language)
        assert "2026-10-01" in notice.text(language)
        assert chosen.law in notice.text(language)
    columns = source(chosen.data_requirements[0].document_type).content
    assert columns[0].korean in notice.text("ko")


def test_every_holder_is_named_in_korean() -> None:
    """e-Gov Act 43-2: the person who demands knows from whom."""
    for chosen in (s for s in ASKED if s.authorisation == "demand"):
        (holders,) = (i.ko for i in shown(chosen).items if i.id == "holders")
        assert not re.search("[A-Za-z]", holders), chosen.id


def test_a_demand_names_the_holders_too() -> None:
    """e-Gov Act 43-2: who holds it, what, for whom, how often and until when."""
    notice = shown(service("HOUSING_SUBSCRIPTION"))
    assert {"holders", "documents", "agency", "mode"} <= {
        i.id for i in notice.items if "전자정부법 제43조의2" in i.articles or i.id in ("documents", "agency")
    }
    assert "국세청" in notice.text("ko")
    assert "지속" in notice.text("ko")
    assert "holders" not in {i.id for i in shown(service("SINGLE_PARENT")).items}


def test_each_ground_is_a_consent_of_its_own_and_its_answer_is_under_the_hash() -> None:
    """PIPA 22, 1: separate consents, 23 for sensitive data."""
    chosen = service("DISABILITY_PENSION")
    all_given, without = shown(chosen), shown(chosen, frozenset(notices.NEEDED))
    assert all_given.grounds == ("collection", "provision", "sensitive")
    assert without.grounds == ("collection", "provision")
    assert "제23조" in next(c.article for c in all_given.consents if c.ground == "sensitive")
    assert "주장애유형코드" in without.text("ko").splitlines()[-1]
    assert "[동의하지 않음]" in without.text("ko")
    assert all_given.digest != without.digest
    assert "sensitive" not in {c.ground for c in shown(service("SINGLE_PARENT")).consents}
    with pytest.raises(UsageError, match="no consent named biometric"):
        shown(chosen, frozenset({"biometric"}))


def test_columns_flow_only_with_the_consent_that_their_class_needs() -> None:
    chosen = service("DISABILITY_PENSION")
    disability = next(r for r in chosen.data_requirements if r.document_type == "DISB")
    sensitive = {"MDSBLTY_TYPE_CD", "SDSBLTY_TYPE_CD", "DSBLTY_DGREE_CD"}
    assert notices.narrowed(disability, (*notices.NEEDED, "sensitive")) == disability.columns
    assert set(disability.columns) - set(notices.narrowed(disability, notices.NEEDED)) == sensitive
    assert notices.narrowed(disability, ("collection", "sensitive")) == ()
    assert notices.lacking("DISB", disability.columns, notices.NEEDED) == ("sensitive",)
    assert notices.lacking("DISB", ("ISSU_NO",), notices.NEEDED) == ()


@pytest.mark.parametrize(
    ("classification", "ground"), [("sensitive", "sensitive"), ("unique_id", "unique"), ("public", None)]
)
def test_a_columns_class_says_its_ground(classification: str, ground: str | None) -> None:
    column = Column("X", "무엇", "string", False, classification)
    assert notices.ground_of(column) == ground


def test_the_hash_covers_every_text() -> None:
    notice = shown(service("DISABILITY_PENSION"))
    assert notice.digest == sha256(rfc8785.dumps(json.loads(notice.body))).hexdigest()
    item, consent = notice.items[3], notice.consents[0]
    changed = [
        replace(notice, version="0"),
        replace(notice, title_en="x"),
        replace(notice, items=notice.items[:-1]),
        replace(notice, items=(*notice.items[:3], replace(item, ko=item.ko + "."), *notice.items[4:])),
        replace(notice, items=(*notice.items[:3], replace(item, articles=()), *notice.items[4:])),
        replace(notice, consents=(replace(consent, is_given=False), *notice.consents[1:])),
    ]
    assert len({notice.digest, *(c.digest for c in changed)}) == len(changed) + 1


def test_the_same_terms_give_the_same_notice_and_other_terms_another() -> None:
    chosen = service("SINGLE_PARENT")
    later = notices.notice(chosen, chosen.data_requirements, UNTIL + timedelta(days=1), KEPT)
    fewer = notices.notice(chosen, chosen.data_requirements[:1], UNTIL, KEPT)
    assert shown(chosen) == shown(chosen)
    assert len({shown(chosen).digest, later.digest, fewer.digest}) == 3


@pytest.mark.parametrize("event", [Event.PAUSED, Event.RESUMED, Event.RENEWED, Event.WITHDRAWN])
def test_every_act_of_a_citizen_has_a_notice_that_names_the_authorisation(event: Event) -> None:
    ends = {"valid_until": UNTIL, "retain_until": KEPT} if event is Event.RENEWED else {}
    one, other = (notices.act_notice(event, key, ends) for key in ("auth-one", "auth-other"))
    assert "auth-one" in one.text("ko")
    assert "auth-one" in one.text("en")
    assert one.digest != other.digest


def test_a_published_version_never_changes() -> None:
    """A new text is a new version: add its file, and its line to the pinned digests."""
    pinned = dict(line.split() for line in (Path(__file__).parent / "notices.sha256").read_text().splitlines())
    assert {version: notices.template_digest(version) for version in notices.versions()} == pinned
    assert notices.versions()[-1] == notices.CURRENT


def test_a_version_that_was_never_published_is_refused_in_a_sentence() -> None:
    with pytest.raises(UsageError, match="no notice of that version"):
        shown(service("SINGLE_PARENT"), version="../1")
