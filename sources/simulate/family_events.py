"""What happens to families: moves, births, marriages, divorces, splits, deaths, new names.

Each function makes one event in the draft, and is False where chance found nobody fit. Whom an event touches is marked
before it, where somebody leaves, and after it. An event changes base rows alone; registers follow by rendering.
"""

from datetime import date, datetime

import numpy as np

from hanbeon.clock import seoul_date
from sources.simulate import names, persons
from sources.simulate.chance import Random, address, insure, resident, running_insurance
from sources.simulate.draft import Draft


def move(rng: Random, draft: Draft, at: datetime) -> bool:
    """A whole household moves."""
    person = resident(rng, draft, 19, 120, at)
    if person is None:
        return False
    home = person["household_id"]
    draft.change("households", home, at, **address(rng), moved_in=seoul_date(at), reason="01", is_unknown=False)
    draft.touch([person["person_id"]], at)
    return True


def birth(rng: Random, draft: Draft, at: datetime) -> bool:
    """A couple that lives together has a child."""
    mother = resident(rng, draft, 22, 43, at, sex="F")
    father = draft.row("persons", mother["spouse_id"]) if mother and mother["spouse_id"] is not None else None
    if mother is None or father is None or father["household_id"] != mother["household_id"]:
        return False
    born, is_male = seoul_date(at), bool(rng.random() < 0.51)
    same_day = len(draft.find("persons", born=born))
    day = (born - date(1970, 1, 1)).days
    line = father if father["nationality"] is None else mother
    child = draft.add(
        "persons",
        at,
        rrn=persons.numbers(np.array([day]), np.array([is_male]), np.array([False]), taken=same_day)[0],
        name=line["name"][0] + str(names.given_names(rng, np.array([is_male]), 0.0)[0]),
        former_name=None,
        sex="M" if is_male else "F",
        born=born,
        died=None,
        nationality=None,
        clan=line["clan"],
        registered_place=line["registered_place"],
        father_id=father["person_id"],
        mother_id=mother["person_id"],
        spouse_id=None,
        household_id=mother["household_id"],
        relation="자녀" if "본인" in (father["relation"], mother["relation"]) else "친척",
    )
    insurer = next(
        (i for p in (father, mother) if (i := running_insurance(draft, p["person_id"])) and i["kind"] == "1"), None
    )
    head = draft.row("households", mother["household_id"])["head_id"]
    insure(draft, at, child["person_id"], "2" if insurer else "6", insurer, head)
    draft.touch([child["person_id"]], at)
    return True


def marriage(rng: Random, draft: Draft, at: datetime) -> bool:
    """Two who live alone marry; one moves in with the other and the former household ends."""
    groom = resident(rng, draft, 22, 46, at, sex="M", spouse_id=None, relation="본인")
    bride = resident(rng, draft, 22, 46, at, sex="F", spouse_id=None, relation="본인")
    if groom is None or bride is None or abs((groom["born"] - bride["born"]).days) > 12 * 365:
        return False
    is_kin = draft.related(groom["person_id"]) & draft.related(bride["person_id"])
    is_alone = all(len(draft.members(p["household_id"])) == 1 for p in (groom, bride))
    if is_kin or not is_alone:
        return False
    draft.change("persons", groom["person_id"], at, spouse_id=bride["person_id"])
    draft.change(
        "persons",
        bride["person_id"],
        at,
        spouse_id=groom["person_id"],
        household_id=groom["household_id"],
        relation="배우자",
    )
    draft.change("households", groom["household_id"], at, reason="03")
    draft.touch([groom["person_id"], bride["person_id"]], at)
    return True


def divorce(rng: Random, draft: Draft, at: datetime) -> bool:
    """The spouse of the householder moves out into a household of its own; children stay."""
    leaving = resident(rng, draft, 24, 80, at, relation="배우자")
    staying = draft.row("persons", leaving["spouse_id"]) if leaving and leaving["spouse_id"] is not None else None
    if leaving is None or staying is None or staying["household_id"] != leaving["household_id"]:
        return False
    if any(m["relation"].startswith("배우자의") for m in draft.members(leaving["household_id"])):
        return False
    draft.touch([leaving["person_id"], staying["person_id"]], at)
    draft.change("persons", staying["person_id"], at, spouse_id=None)
    _alone(rng, draft, at, leaving["person_id"], spouse_id=None)
    draft.touch([leaving["person_id"], staying["person_id"]], at)
    return True


def death(rng: Random, draft: Draft, at: datetime) -> bool:
    """Somebody old dies; a spouse at home succeeds as householder."""
    dying = resident(rng, draft, 66, 120, at)
    if dying is None or any(draft.find(t, person_id=dying["person_id"]) for t in ("officers",)):
        return False
    others = [m for m in draft.members(dying["household_id"]) if m["person_id"] != dying["person_id"]]
    spouse = next((m for m in others if m["person_id"] == dying["spouse_id"]), None)
    insured = [r for r in draft.find("insurance", subscriber_id=dying["person_id"]) if r["lost"] is None]
    if dying["relation"] == "본인" and len(others) > (0 if spouse is None else 1):
        return False  # a succession that would rename every relation
    draft.touch([dying["person_id"]], at)
    day = seoul_date(at)
    if dying["relation"] == "본인" and spouse is not None:
        draft.change("households", dying["household_id"], at, head_id=spouse["person_id"], reason="05")
        draft.change("persons", spouse["person_id"], at, relation="본인")
    draft.change("persons", dying["person_id"], at, died=day, household_id=None, relation=None)
    for period in insured:
        draft.change("insurance", period["insurance_id"], at, lost=day)
        if period["person_id"] != dying["person_id"]:
            insure(draft, at, period["person_id"], "5", None, None)
    for period in draft.find("insurance", person_id=dying["person_id"]):
        if period["lost"] is None:
            draft.change("insurance", period["insurance_id"], at, lost=day)
    return True


def name_change(rng: Random, draft: Draft, at: datetime) -> bool:
    """A court grants a new given name; the corporate register keeps the former one until somebody files it."""
    person = resident(rng, draft, 19, 70, at)
    if person is None:
        return False
    given = str(names.given_names(rng, np.array([person["sex"] == "M"]), 0.0)[0])
    if person["name"][1:] == given:
        return False
    draft.change("persons", person["person_id"], at, name=person["name"][0] + given, former_name=person["name"])
    draft.touch([person["person_id"]], at)
    return True


def household_split(rng: Random, draft: Draft, at: datetime) -> bool:
    """A grown child who is not married moves out into a household of its own."""
    child = resident(rng, draft, 19, 60, at, relation="자녀", spouse_id=None)
    if child is None:
        return False
    draft.touch([child["person_id"]], at)
    _alone(rng, draft, at, child["person_id"])
    draft.touch([child["person_id"]], at)
    return True


def _alone(rng: Random, draft: Draft, at: datetime, person_id: int, **more: None) -> None:
    """The person lives in a new household of her own; who was insured through others there insures herself."""
    home = draft.add(
        "households",
        at,
        head_id=person_id,
        **address(rng),
        moved_in=seoul_date(at),
        reason="02",
        is_unknown=False,
    )
    draft.change("persons", person_id, at, household_id=home["household_id"], relation="본인", **more)
    period = running_insurance(draft, person_id)
    if period is not None and period["kind"] in ("2", "6"):
        draft.change("insurance", period["insurance_id"], at, lost=seoul_date(at))
        insure(draft, at, person_id, "5", None, None)
