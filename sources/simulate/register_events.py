"""What happens in registers: corrected incomes, disability registrations, new employers, filings of corporations.

Each function makes one event in the draft, and is False where chance found nobody fit.
"""

from datetime import datetime, timedelta

import numpy as np

from hanbeon.clock import seoul_date
from sources.simulate import livelihood
from sources.simulate.chance import Random, address, draw, resident
from sources.simulate.draft import Draft


def income_correction(rng: Random, draft: Draft, at: datetime) -> bool:
    """A year's amounts are assessed anew."""
    line = draw(rng, draft, "incomes")
    gross = int(line["gross"] * (0.9 + 0.3 * float(rng.random()))) // 10_000 * 10_000
    earned = max(gross - (line["gross"] - line["earned"]), 0)
    base, tax = livelihood.taxed(np.array([earned]))
    salary = gross if line["kind"] == "10" else None
    draft.change(
        "incomes",
        line["income_id"],
        at,
        gross=gross,
        earned=earned,
        base=int(base[0]),
        tax=int(tax[0]),
        salary=salary,
    )
    draft.touch([line["person_id"]], at)
    return True


def disability_registered(rng: Random, draft: Draft, at: datetime) -> bool:
    person = resident(rng, draft, 19, 100, at)
    if person is None or draft.find("disabilities", person_id=person["person_id"]):
        return False
    draft.add(
        "disabilities",
        at,
        person_id=person["person_id"],
        main_type=f"{int(rng.integers(1, 16)):02}",
        second_type=None,
        degree=str(rng.integers(1, 3)),
        registered=seoul_date(at),
        review=None,
        guardian_id=None,
        is_cancelled=False,
    )
    draft.touch([person["person_id"]], at)
    return True


def disability_cancelled(rng: Random, draft: Draft, at: datetime) -> bool:
    """A review finds that the registration no longer stands."""
    row = draw(rng, draft, "disabilities")
    if row["is_cancelled"]:
        return False
    draft.change("disabilities", row["disability_id"], at, is_cancelled=True)
    draft.touch([row["person_id"]], at)
    return True


def insurance_change(rng: Random, draft: Draft, at: datetime) -> bool:
    """An employee changes employer; one report in five comes two months late."""
    period = draw(rng, draft, "insurance")
    if period["kind"] != "1" or period["lost"] is not None:
        return False
    person = draft.row("persons", period["person_id"])
    firm = draw(rng, draft, "corporations")
    day = seoul_date(at) - timedelta(days=60 if rng.random() < 0.2 else 0)
    if person["household_id"] is None or firm["status"] != "1" or firm["founded"] > day or period["acquired"] >= day:
        return False
    if firm["corporation_id"] == period["corporation_id"]:
        return False
    draft.change("insurance", period["insurance_id"], at, lost=day)
    added = {"person_id": period["person_id"], "kind": "1", "corporation_id": firm["corporation_id"], "acquired": day}
    draft.add("insurance", at, **added, lost=None, subscriber_id=period["person_id"])
    for other in draft.find("insurance", subscriber_id=period["person_id"], kind="2"):
        if other["lost"] is None:
            draft.change("insurance", other["insurance_id"], at, corporation_id=firm["corporation_id"])
    draft.touch([period["person_id"]], at)
    draft.touch_firm(period["corporation_id"], at)
    return True


def corporation_change(rng: Random, draft: Draft, at: datetime) -> bool:
    """A corporation moves its seat, raises its capital, or takes in another officer."""
    firm = draw(rng, draft, "corporations")
    key, what = firm["corporation_id"], int(rng.integers(0, 3))
    person = resident(rng, draft, 27, 75, at)
    if firm["status"] != "1" or person is None:
        return False
    if what == 0:
        draft.change("corporations", key, at, address=address(rng)["road_addr"])
    elif what == 1:
        added = int(rng.integers(1, 10)) * 1_000
        shares = None if firm["shares"] is None else firm["shares"] + added
        draft.change("corporations", key, at, shares=shares, capital=firm["capital"] + added * (firm["par"] or 10_000))
    else:
        line_no = len(draft.find("officers", corporation_id=key)) + 1
        office = {"position": "사내이사", "appointed": seoul_date(at), "shown_name": person["name"]}
        draft.add("officers", at, corporation_id=key, line_no=line_no, person_id=person["person_id"], **office)
    draft.touch_firm(key, at)
    return True
