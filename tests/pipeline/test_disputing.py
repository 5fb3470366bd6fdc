"""A disputed record: the holder alone reads the claim; that the record changed is told to all (PIPA 36)."""

import json
from functools import partial

import pytest

from consent import disputes, handovers, history, outbox, subject_notices
from consent.errors import ForbiddenTransition
from consent.model import Decision
from consent.subject_notices import About
from exchange.deciding import decide
from hanbeon.errors import UsageError
from pipeline.commit import Plan, commit
from pipeline.disputing import detect, open_dispute
from pipeline.telling import carry
from sources.simulate import inbox
from tests.pipeline.test_telling import inboxes  # noqa: F401 - a fixture
from tests.small_lake import FAMR, TWO, SmallLake, _bronze, _whole

CLAIM = "제 이름은 이두리가 아니라 이드리입니다."


def opened(lake: SmallLake) -> str:
    return open_dispute(lake.run, str(lake.two.consent), "FAMR", ["SELF_FLNM"], CLAIM)


def state(lake: SmallLake) -> str:
    return disputes.disputes(lake.run.conn)[0].state


def pulled(lake: SmallLake, name: str) -> list[int]:
    """The holder's next delivery says this name; then what every pull does."""
    run = lake.run
    rows = _bronze(run, {lake.one.key: lake.one.name, lake.two.key: name})
    plan = Plan(f"bronze/{FAMR.dataset}", FAMR.bronze_schema, partial(_whole, FAMR, rows), partitioned=True)
    commit(run, [plan], {})
    return detect(run, FAMR)


def test_a_dispute_from_the_claim_to_the_corrected_record(inboxes: SmallLake) -> None:  # noqa: F811
    run, home = inboxes.run, inboxes.run.settings.home_path
    dispute_id = opened(inboxes)
    carry(run)
    (given,) = inbox.case_file(home, "scourt")
    assert json.loads(given) == {"claim": CLAIM, "identifier_kind": "RRN", "identifier": TWO}
    disputes.uphold(run.conn, dispute_id, run.at())
    assert pulled(inboxes, inboxes.two.name) == []
    assert state(inboxes) == "upheld"
    told = pulled(inboxes, "이드리")
    assert state(inboxes) == "corrected"
    sent = {m.number: m for m in outbox.messages(run.conn)}
    assert [sent[n].to_agency for n in told] == ["mogef"]
    assert sent[told[0]].body["authorisations"] == [inboxes.two.consent]
    assert [n.kind for n in subject_notices.notices(run.conn)] == [About.DISPUTE_ANSWERED, About.RECORD_CORRECTED]
    assert pulled(inboxes, "이도리") == []
    kinds = [e.kind for e in history.history_of_subject(run.conn, dispute_id)]
    assert kinds == ["dispute_opened", "dispute_answered", "dispute_corrected"]


def test_p8_the_claim_rests_nowhere_in_clear(own_lake: SmallLake) -> None:
    run = own_lake.run
    opened(own_lake)
    for table in ("disputes", "outbox", "events"):
        rows = run.conn.execute(f"select t::text from {table} as t").fetchall()
        assert rows
        assert not any("이드리" in row[0] or TWO in row[0] for row in rows)


def test_who_was_handed_the_old_record_is_told_too(own_lake: SmallLake) -> None:
    run = own_lake.run
    opened(own_lake)
    decide(run, str(own_lake.two.application), Decision.APPROVED, "kim")
    assert len(handovers.handovers(run.conn)) == 1
    assert disputes.recipients_of(run.conn, disputes.disputes(run.conn)[0]) == ["mogef"]


def test_a_refusal_says_why_and_where_to_appeal(own_lake: SmallLake) -> None:
    run = own_lake.run
    dispute_id = opened(own_lake)
    with pytest.raises(UsageError, match="how the citizen can appeal"):
        disputes.refuse(run.conn, dispute_id, "기록이 맞습니다", " ", run.at())
    disputes.refuse(run.conn, dispute_id, "기록이 맞습니다", "개인정보 보호위원회", run.at())
    (notice,) = subject_notices.notices(run.conn)
    assert all("기록이 맞습니다" in text and "개인정보 보호위원회" in text for text in notice.texts)
    with pytest.raises(ForbiddenTransition):
        disputes.uphold(run.conn, dispute_id, run.at())


def test_a_holder_that_does_not_answer_in_time_is_overdue(own_lake: SmallLake) -> None:
    opened(own_lake)
    (found,) = disputes.disputes(own_lake.run.conn)
    assert not found.is_overdue(own_lake.run.at())
    assert found.is_overdue(found.due_at)


@pytest.mark.parametrize(("document_type", "column"), [("FAMR", "NO_SUCH"), ("RRT", "ISSU_NO")])
def test_what_the_lake_has_not_cannot_be_disputed(own_lake: SmallLake, document_type: str, column: str) -> None:
    with pytest.raises(UsageError):
        open_dispute(own_lake.run, str(own_lake.two.consent), document_type, [column], CLAIM)
