"""Who is related to whom: parents, spouses, former spouses, and the dead that a certificate still names.

In: the residents by household. Out: `Kin`, parallel arrays over residents and then the dead: father, mother, spouse
(the last one, if death ended the marriage), birth and death days. A parent is 18 years older than its child or more,
and no two siblings are married.
"""

from dataclasses import dataclass

import numpy as np

from sources.simulate import rates
from sources.simulate.households import (
    ADULT_CHILD,
    CHILD,
    ELDER,
    HEAD,
    KIND,
    SPOUSE,
    YEAR,
    Bools,
    Ints,
    Slots,
)

DIVORCED, WIDOWED, UNMARRIED = (list(rates.SINGLE_PARENTS).index(s) for s in ("divorced", "widowed", "unmarried"))
ALIVE = np.iinfo(np.int64).min
BASE_DAY = int(rates.BASE_INSTANT.timestamp()) // 86_400


@dataclass
class Kin:
    """Grows by `bury` while relations are made; days count from 1970-01-01."""

    is_male: Bools
    born: Ints
    died: Ints
    father: Ints
    mother: Ints
    spouse: Ints
    is_foreign: Bools
    is_step: Bools  # of each household: the eldest child is the spouse's alone

    def bury(self, is_male: Bools, born: Ints, died: Ints) -> Ints:
        """Add persons who have died. Their indices."""
        n = len(born)
        first = len(self.born)
        none = np.full(n, -1, np.int64)
        self.is_male = np.concatenate([self.is_male, is_male])
        self.born = np.concatenate([self.born, born])
        self.died = np.concatenate([self.died, np.minimum(died, BASE_DAY - 20)])
        self.father, self.mother, self.spouse = (
            np.concatenate([a, none]) for a in (self.father, self.mother, self.spouse)
        )
        self.is_foreign = np.concatenate([self.is_foreign, np.zeros(n, bool)])
        return np.arange(first, first + n)

    def marry(self, one: Ints, other: Ints) -> None:
        self.spouse[one], self.spouse[other] = other, one

    def adopt(self, child: Ints, parent: Ints) -> None:
        """Make `parent` (or -1: nobody) the father or mother of `child`, by sex."""
        known = parent >= 0
        child, parent = child[known], parent[known]
        is_male = self.is_male[parent]
        self.father[child[is_male]] = parent[is_male]
        self.mother[child[~is_male]] = parent[~is_male]


def relate(rng: np.random.Generator, slots: Slots) -> Kin:
    n = slots.people
    none = np.full(n, -1, np.int64)
    born = BASE_DAY - slots.age_days
    is_couple = slots.of[SPOUSE] >= 0
    is_step = (slots.kind == KIND["couple_children"]) & (rng.random(slots.households) < rates.HARD_CASES["step_child"])
    kin = Kin(slots.is_male, born, np.full(n, ALIVE), none.copy(), none.copy(), none.copy(), np.zeros(n, bool), is_step)
    kin.marry(slots.of[HEAD][is_couple], slots.of[SPOUSE][is_couple])
    _mark_foreign(rng, slots, kin)
    story = rng.choice(3, slots.households, p=list(rates.SINGLE_PARENTS.values()))
    story[slots.kind != KIND["single_parent"]] = -1
    former = _children_at_home(slots, kin, story == DIVORCED)
    _widow(rng, slots, kin, story == WIDOWED)
    _elders(rng, slots, kin)
    _lost_children(rng, slots, kin)
    _parents_elsewhere(rng, slots, kin, former)
    return kin


def _mark_foreign(rng: np.random.Generator, slots: Slots, kin: Kin) -> None:
    head, spouse = slots.of[HEAD], slots.of[SPOUSE]
    is_young = np.isin(slots.kind, [KIND["couple_young"], KIND["couple_children"]]) & ~kin.is_step
    chosen = is_young & (rng.random(slots.households) < rates.HARD_CASES["foreign_spouse"]) & slots.is_male[head]
    kin.is_foreign[spouse[chosen]] = True


def _children_at_home(slots: Slots, kin: Kin, is_divorced: Bools) -> Ints:
    """Children of the household's couple, of its single parent, of its spouse alone. Out: pairs of former spouses."""
    head, spouse, single = slots.of[HEAD], slots.of[SPOUSE], slots.kind == KIND["single_parent"]
    has_former = is_divorced | kin.is_step
    parent = np.where(kin.is_step, spouse, head)
    former = np.full(slots.households, -1, np.int64)
    former[has_former] = _former_spouses(slots, kin, parent[has_former])
    for k in range(3):
        child = slots.of[CHILD + k]
        here = child >= 0
        is_step = here & kin.is_step & (k == 0)
        kin.adopt(child[here & ~is_step], head[here & ~is_step])
        kin.adopt(child[here], spouse[here])
        kin.adopt(child[here & single | is_step], former[here & single | is_step])
    grown = slots.of[ADULT_CHILD]
    kin.adopt(grown[grown >= 0], head[grown >= 0])
    kin.adopt(grown[grown >= 0], spouse[grown >= 0])
    found = former >= 0
    return np.stack([parent[found], former[found]])


def _former_spouses(slots: Slots, kin: Kin, parents: Ints) -> Ints:
    """Of each parent, somebody of the other sex and about the same age who lives alone; -1 where there is nobody."""
    alone = slots.of[HEAD][np.isin(slots.kind, [KIND["sole_young"], KIND["sole_middle"]])]
    found = np.full(len(parents), -1, np.int64)
    for is_male in (True, False):
        pool = alone[kin.is_male[alone] == is_male]
        pool = pool[np.argsort(kin.born[pool], kind="stable")]
        seek = np.flatnonzero(kin.is_male[parents] != is_male)
        if not len(pool) or not len(seek):
            continue
        near = pool[np.minimum(np.searchsorted(kin.born[pool], kin.born[parents[seek]]), len(pool) - 1)]
        fits = np.abs(kin.born[near] - kin.born[parents[seek]]) < 2 * YEAR
        found[seek[fits]] = near[fits]
    return found


def _widow(rng: np.random.Generator, slots: Slots, kin: Kin, widowed_single: Bools) -> None:
    """Give widows and widowers the spouse whom they lost, who is then also the other parent of their children."""
    head, elder = slots.of[HEAD], slots.of[ELDER]
    grown = (slots.kind == KIND["parent_adult_child"]) & (slots.of[SPOUSE] < 0)
    old = (slots.kind == KIND["sole_old"]) & (rng.random(slots.households) < 0.6)
    survivor = np.concatenate([head[widowed_single], head[grown], head[old], elder[elder >= 0]])
    n = len(survivor)
    youngest, eldest = np.full(len(kin.born), -(10**9)), np.full(len(kin.born), 10**9)
    for household, role in ((widowed_single, CHILD), (widowed_single, CHILD + 1), (grown, ADULT_CHILD)):
        c = slots.of[role][household]
        np.minimum.at(eldest, head[household][c >= 0], kin.born[c[c >= 0]])
        if role != ADULT_CHILD:
            np.maximum.at(youngest, head[household][c >= 0], kin.born[c[c >= 0]])
    earliest = np.maximum(BASE_DAY - 15 * YEAR, youngest[survivor] + 30)
    born = kin.born[survivor] + rng.integers(-4 * 365, 4 * 365, n)
    born = np.minimum(born, eldest[survivor] - 19 * 366)
    died = (earliest + (BASE_DAY - 40 - earliest) * rng.random(n)).astype(np.int64)
    lost = kin.bury(~kin.is_male[survivor], born, np.maximum(died, born + 19 * 365))
    kin.marry(survivor, lost)
    for household, roles in ((widowed_single, (CHILD, CHILD + 1)), (grown, (ADULT_CHILD,))):
        for role in roles:
            c = slots.of[role][household]
            kin.adopt(c[c >= 0], kin.spouse[head[household][c >= 0]])


def _elders(rng: np.random.Generator, slots: Slots, kin: Kin) -> None:
    """The elder of three generations is a parent of the head, or, where old enough and now and then, of the spouse."""
    elder = slots.of[ELDER]
    here = np.flatnonzero(elder >= 0)
    elder, head, spouse = elder[here], slots.of[HEAD][here], slots.of[SPOUSE][here]
    is_in_law = (rng.random(len(here)) < 0.2) & (kin.born[spouse] - kin.born[elder] > 19 * YEAR)
    child = np.where(is_in_law, spouse, head)
    kin.adopt(child, elder)
    other = kin.spouse[elder]
    fits = kin.born[child] - kin.born[other] > 18 * YEAR
    kin.adopt(child[fits], other[fits])


def _lost_children(rng: np.random.Generator, slots: Slots, kin: Kin) -> None:
    chosen = (slots.kind == KIND["couple_children"]) & ~kin.is_step
    chosen &= rng.random(slots.households) < rates.HARD_CASES["deceased_child"]
    sibling, head, spouse = slots.of[CHILD][chosen], slots.of[HEAD][chosen], slots.of[SPOUSE][chosen]
    born = np.minimum(kin.born[sibling] + rng.integers(300, 700, len(sibling)), BASE_DAY - 60)
    lost = kin.bury(rng.random(len(sibling)) < 0.5, born, born + rng.integers(1, 40, len(sibling)))
    kin.adopt(lost, head)
    kin.adopt(lost, spouse)


def _parents_elsewhere(rng: np.random.Generator, slots: Slots, kin: Kin, former: Ints) -> None:
    """Parents of adults: a couple of the world where one fits, else, for some, a couple that has died."""
    orphan = np.flatnonzero((kin.father < 0) & (kin.mother < 0) & ~kin.is_foreign & (kin.died == ALIVE))
    orphan = orphan[slots.age_days[orphan] > 19 * YEAR]
    _living_parents(rng, kin, orphan)
    head, spouse = slots.of[HEAD], slots.of[SPOUSE]
    pairs = np.concatenate([np.stack([head[spouse >= 0], spouse[spouse >= 0]]), former], axis=1)
    siblings = pairs[1][(kin.father[pairs[0]] == kin.father[pairs[1]]) & (kin.father[pairs[1]] >= 0)]
    kin.father[siblings] = kin.mother[siblings] = -1
    _dead_parents(rng, kin, orphan[(kin.father[orphan] < 0) & (rng.random(len(orphan)) < 0.3)])


def _living_parents(rng: np.random.Generator, kin: Kin, orphan: Ints) -> None:
    """A couple, or somebody widowed, of whom the wife has the right age."""
    wives = np.flatnonzero(~kin.is_male & (kin.spouse >= 0) & ~kin.is_foreign)
    wives = wives[~kin.is_foreign[kin.spouse[wives]]]
    wives = wives[np.argsort(kin.born[wives], kind="stable")]
    if not len(wives):
        return
    target = kin.born[orphan] - (rng.uniform(20, 34, len(orphan)) * YEAR).astype(np.int64)
    mother = wives[np.minimum(np.searchsorted(kin.born[wives], target), len(wives) - 1)]
    father = kin.spouse[mother]
    fits = (np.abs(kin.born[mother] - target) < YEAR) & (kin.born[orphan] - kin.born[father] > 19 * YEAR)
    for parent in (father, mother):
        fits &= np.where(kin.died[parent] == ALIVE, BASE_DAY, kin.died[parent]) > kin.born[orphan]
    fits &= rng.random(len(orphan)) < 0.85
    kin.adopt(orphan[fits], mother[fits])
    kin.adopt(orphan[fits], father[fits])


def _dead_parents(rng: np.random.Generator, kin: Kin, orphan: Ints) -> None:
    n = len(orphan)
    mother_born = kin.born[orphan] - (rng.uniform(20, 34, n) * YEAR).astype(np.int64)
    father_born = mother_born - rng.integers(-365, 6 * 365, n)
    for is_male, born in ((False, mother_born), (True, father_born)):
        first = kin.born[orphan] + 365
        last = np.maximum(np.minimum(BASE_DAY - 60, born + 98 * 365), first)
        died = (first + (last - first) * rng.random(n)).astype(np.int64)
        kin.adopt(orphan, kin.bury(np.full(n, is_male), born, died))
    kin.marry(kin.mother[orphan], kin.father[orphan])
