"""P1 on ledger and gate alone: 10,000 random steps beside a plain model of the law (tests/law.py).

After every step the gate lets flow exactly what the model does: each document, subject, variant and column. Lives are
of 200 steps, each on a ledger of its own. HANBEON_DRILL_LIVES lengthens it; HANBEON_DRILL_SEED repeats what failed.
"""

import os
import random
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from psycopg import sql

from consent import applications, blocks, gate, ledger
from consent.errors import ForbiddenTransition
from consent.model import Application, Decision, Mode
from hanbeon import granting
from hanbeon.errors import GateRefused, UsageError
from hanbeon.postgres import database
from schemas.services import Service, services
from tests.consent.making import AT, proof
from tests.law import Law
from tests.postgres_fixtures import TEMPLATE

LIVES = int(os.environ.get("HANBEON_DRILL_LIVES", "50"))
STEPS = 200
SEED = int(os.environ.get("HANBEON_DRILL_SEED", str(random.randrange(2**32))))
DICE = st.integers(0, 2**32)
CITIZENS = (11, 12, 13, 14, 15)
# A citizen here owns nothing and applies as usual.
SERVICES = [
    s for s in services() if any(r.is_available and r.about == "applicant" for r in s.needed_of(s.applicants[0]))
]


class Machine(RuleBasedStateMachine):
    """One life of one ledger. The server's DSN is set by the test that makes the class."""

    dsn: str

    def __init__(self) -> None:
        super().__init__()
        self.name = f"machine_{uuid4().hex[:12]}"
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            made = sql.SQL("create database {} template {}")
            conn.execute(made.format(sql.Identifier(self.name), sql.Identifier(TEMPLATE)))
        self.conn = psycopg.connect(database(self.dsn, self.name), autocommit=True)
        self.at: datetime = AT
        self.law = Law()
        self.asked: tuple[int, datetime] | None = None

    def teardown(self) -> None:
        self.conn.close()
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(self.name)))

    # --- agreements ---

    @rule(dice=DICE, days=st.sampled_from([1, 400]))
    def approve(self, dice: int, days: int) -> None:
        for approval in granting.approvals(_of(SERVICES, dice), self.at, self.at + timedelta(days=days)):
            key = ledger.approve(self.conn, approval, self.at)
            terms = {n: getattr(approval, n) for n in ("holder", "recipient", "document_type", "purpose")}
            dates = {"valid_from": approval.valid_from, "valid_until": approval.valid_until}
            self.law.agree([{**terms, **dates, "approval_id": key, "state": "active"}])

    @rule(dice=DICE, act=st.sampled_from(["suspend", "resume", "end"]))
    def change_an_agreement(self, dice: int, act: str) -> None:
        if not self.law.agreements:
            return
        own = self.law.agreements[_of(sorted(self.law.agreements), dice)]
        doing = {"suspend": ledger.suspend_approval, "resume": ledger.resume_approval, "end": ledger.end_approval}[act]
        after = {"suspend": "suspended", "resume": "active", "end": "ended"}[act]
        if (own["state"], act) in (("ended", "suspend"), ("ended", "resume"), ("active", "resume")):
            self._refused(lambda: doing(self.conn, own["approval_id"], self.at))
            return
        doing(self.conn, own["approval_id"], self.at)
        own["state"] = after

    # --- citizens ---

    @rule(dice=DICE, citizen=st.sampled_from(CITIZENS), later=st.sampled_from([0, 0, 0, 10]))
    def apply_and_grant(self, dice: int, citizen: int, later: int) -> None:
        service: Service = _of(SERVICES, dice)
        application = Application(None, service.id, service.recipient, citizen, self.at)
        opened = applications.open(self.conn, application, self.at)
        starts = self.at + timedelta(days=later)
        given = granting.grant(service, citizen, opened, starts)
        if given.grantor_key is not None:
            given = replace(given, evidence=proof())
        (key,) = ledger.grant(self.conn, [given], self.at)
        self.law.know(ledger.authorisations(self.conn, authorisation_id=key).to_pylist())

    @rule(dice=DICE)
    def withdraw(self, dice: int) -> None:
        if self.law.consents:
            key = _of(sorted(self.law.consents), dice)
            ledger.withdraw(self.conn, key, self.at)  # always, and again (F40)
            self.law.withdraw(key)

    @rule(dice=DICE)
    def pause(self, dice: int) -> None:
        self._change(dice, {"granted"}, ledger.pause, self.law.pause)

    @rule(dice=DICE)
    def resume(self, dice: int) -> None:
        self._change(dice, {"paused"}, partial(ledger.resume, evidence=proof()), self.law.resume)

    def _change(
        self,
        dice: int,
        able: set[str],
        doing: Callable[[psycopg.Connection, str, datetime], object],
        then: Callable[[str], None],
    ) -> None:
        if self.law.consents:
            key = _of(sorted(self.law.consents), dice)
            if self.law.consents[key].state in able:
                doing(self.conn, key, self.at)
                then(key)
            else:
                self._refused(lambda: doing(self.conn, key, self.at))

    @rule(dice=DICE, days=st.sampled_from([30, 500]))
    def renew(self, dice: int, days: int) -> None:
        able = [k for k in self.law.in_state("granted", "paused") if not self.law.consents[k].is_one_time]
        if able:
            key = _of(able, dice)
            until = self.at + timedelta(days=days)
            with suppress(ForbiddenTransition, UsageError):  # past its end, or no later than it is
                ledger.renew(self.conn, key, until, self.at, evidence=proof())
                own = self.law.consents[key]
                own.valid_until, own.retain_until = until, max(own.retain_until, until)

    @rule(dice=DICE, decision=st.sampled_from(Decision))
    def decide(self, dice: int, decision: Decision) -> None:
        opened = applications.applications(self.conn, state="open").to_pylist()
        if opened:
            key = _of(opened, dice)["application_id"]
            applications.decide(self.conn, key, decision, self.at, {})
            self.law.decide(key)

    @rule(victim=st.sampled_from(CITIZENS), restricted=st.sampled_from(CITIZENS))
    def block(self, victim: int, restricted: int) -> None:
        if victim != restricted:
            self.law.block(
                blocks.block(self.conn, victim, restricted, "가족관계등록법 제14조", self.at), victim, restricted
            )

    @rule(dice=DICE)
    def lift(self, dice: int) -> None:
        if self.law.blocks:
            key = _of(sorted(self.law.blocks), dice)
            with suppress(ForbiddenTransition):  # in the very instant in which it began
                blocks.lift(self.conn, key, self.at)
                del self.law.blocks[key]

    # --- time ---

    @rule(by=st.sampled_from([1, 3600, 86_400, 5 * 86_400, 90 * 86_400, -3600, -86_400]))
    def the_clock_jumps(self, by: int) -> None:
        """Also back: what was found expired stays expired (F7)."""
        self.at += timedelta(seconds=by)

    @rule()
    def a_boundary_is_met(self) -> None:
        """The clock comes to the second at which some authorisation ends."""
        ends = [c.valid_until for c in self.law.consents.values() if c.valid_until > self.at]
        if ends:
            self.at = min(ends)

    @rule()
    def look_for_what_is_due(self) -> None:
        ledger.expire_due(self.conn, self.at)
        self.law.expire(self.at)

    # --- what holds after every step ---

    @invariant()
    def the_gate_lets_flow_what_the_law_lets_flow(self) -> None:
        asked = (ledger.position(self.conn), self.at)
        if asked == self.asked:
            return  # a step that did nothing
        self.asked = asked
        found: dict[tuple[str, int, str], set[str]] = defaultdict(set)
        for row in gate.allowed(ledger.snapshot(self.conn), self.at).to_pylist():
            found[row["document_type"], row["_subject_key"], row["variant"]] |= set(row["columns"])
        assert found == self.law.covered(self.at)

    def _refused(self, doing: Callable[[], object]) -> None:
        before = ledger.position(self.conn)
        with suppress(ForbiddenTransition, GateRefused, UsageError):
            doing()
        assert ledger.position(self.conn) == before


def _of(things: Any, dice: int) -> Any:
    return things[dice % len(things)]


@pytest.mark.timeout(300 + 60 * LIVES)
def test_p1_the_gate_keeps_the_law_for_10_000_steps(postgres_dsn: str) -> None:
    print(f"HANBEON_DRILL_SEED={SEED} HANBEON_DRILL_LIVES={LIVES}")
    assert {Mode(s.mode) for s in SERVICES} == set(Mode)
    run_state_machine_as_test(
        seed(SEED)(type("Life", (Machine,), {"dsn": postgres_dsn})),
        settings=settings(
            max_examples=LIVES,
            stateful_step_count=STEPS,
            phases=[Phase.generate],
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
