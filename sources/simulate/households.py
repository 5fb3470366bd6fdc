"""Who lives with whom: households of stated kinds, drawn until they hold exactly the wanted number of residents.

Out: one `Slots` of parallel arrays, one place a resident, ordered by household: role, sex, age in days. Who is related
to whom beyond the household is `kin`'s business.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sources.simulate import rates

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

YEAR = 365.25
KINDS = tuple(rates.HOUSEHOLDS)
KIND = {k: i for i, k in enumerate(KINDS)}
_HEAD_AGES = {
    "sole_young": (20, 40),
    "sole_middle": (40, 65),
    "sole_old": (65, 96),
    "couple_young": (26, 40),
    "couple_old": (52, 88),
    "couple_children": (30, 56),
    "single_parent": (28, 54),
    "three_generations": (34, 55),
    "parent_adult_child": (52, 86),
    "cohabitants": (20, 60),
}
_FEMALE_HEADS = {
    "sole_young": 0.48,
    "sole_middle": 0.45,
    "sole_old": 0.7,
    "couple_young": 0.15,
    "couple_old": 0.1,
    "couple_children": 0.13,
    "single_parent": 0.75,
    "three_generations": 0.12,
    "parent_adult_child": 0.5,
    "cohabitants": 0.5,
}
HEAD, SPOUSE, ELDER, CHILD, ADULT_CHILD, COHABITANT = 0, 1, 2, 3, 6, 7  # three children at most: 3, 4, 5


@dataclass(frozen=True)
class Slots:
    """Residents in household order. `of[role][household]` is the resident in that role, or -1."""

    kind: Ints  # of each household
    household: Ints  # of each resident
    role: Ints
    is_male: Bools
    age_days: Ints
    of: dict[int, Ints]

    @property
    def households(self) -> int:
        return len(self.kind)

    @property
    def people(self) -> int:
        return len(self.household)


def draw(rng: np.random.Generator, people: int) -> Slots:
    """Households that hold exactly `people` residents."""
    kind, children, has_spouse = _plan(rng, people)
    roles = _roles(kind, children, has_spouse)
    household = np.concatenate([h for _, h in roles])
    role = np.concatenate([np.full(len(h), r, np.int64) for r, h in roles])
    order = np.lexsort((role, household))
    household, role = household[order], role[order]
    of = {}
    for r, _ in roles:
        of[r] = np.full(len(kind), -1, np.int64)
        found = np.flatnonzero(role == r)
        of[r][household[found]] = found
    ages = _ages(rng, kind, children, has_spouse)
    sexes = _sexes(rng, kind)
    return Slots(kind, household, role, _pick(sexes, role, household).astype(bool), _pick(ages, role, household), of)


def _pick(by_role: dict[int, Ints], role: Ints, household: Ints) -> Ints:
    table = np.stack([by_role[r] for r in sorted(by_role)])
    return np.asarray(table[role, household])


def _plan(rng: np.random.Generator, people: int) -> tuple[Ints, Ints, Bools]:
    """Kind, number of children and whether the head has a spouse at home, of each household."""
    kind = rng.choice(len(KINDS), people, p=list(rates.HOUSEHOLDS.values())).astype(np.int64)
    children = rng.choice(list(rates.CHILDREN), people, p=list(rates.CHILDREN.values())).astype(np.int64)
    has_children = np.isin(kind, [KIND["couple_children"], KIND["single_parent"], KIND["three_generations"]])
    children = np.where(has_children, children, 0)
    children = np.where(kind == KIND["single_parent"], np.minimum(children, 2), children)
    couples = [KIND[k] for k in ("couple_young", "couple_old", "couple_children", "three_generations")]
    is_elder_couple = (kind == KIND["parent_adult_child"]) & (rng.random(people) < 0.5)
    has_spouse = np.isin(kind, couples) | is_elder_couple
    others = np.isin(kind, [KIND[k] for k in ("three_generations", "parent_adult_child", "cohabitants")])
    total = np.cumsum(1 + has_spouse + children + others)
    kept = int(np.searchsorted(total, people, side="right"))
    missing = people - (int(total[kept - 1]) if kept else 0)
    kind = np.concatenate([kind[:kept], np.full(missing, KIND["sole_young"])])
    children = np.concatenate([children[:kept], np.zeros(missing, np.int64)])
    return kind, children, np.concatenate([has_spouse[:kept], np.zeros(missing, bool)])


def _roles(kind: Ints, children: Ints, has_spouse: Bools) -> list[tuple[int, Ints]]:
    every = np.arange(len(kind))
    return [
        (HEAD, every),
        (SPOUSE, every[has_spouse]),
        (ELDER, every[kind == KIND["three_generations"]]),
        *((CHILD + k, every[children > k]) for k in range(3)),
        (ADULT_CHILD, every[kind == KIND["parent_adult_child"]]),
        (COHABITANT, every[kind == KIND["cohabitants"]]),
    ]


def _ages(rng: np.random.Generator, kind: Ints, children: Ints, has_spouse: Bools) -> dict[int, Ints]:
    """Ages in days by role, of each household, such that parents are 19 years older than their children or more."""
    n = len(kind)
    low, high = (np.array([_HEAD_AGES[k][i] for k in KINDS])[kind] for i in (0, 1))
    head = rng.uniform(low, high)
    spouse = np.clip(head - rng.normal(2, 2.5, n), np.maximum(head - 5, 25), head + 5)
    parent = np.where(has_spouse, np.minimum(head, spouse), head)
    eldest = np.minimum(parent - 20, np.where(kind == KIND["single_parent"], 17.5, 25)) * rng.uniform(0.15, 1, n)
    eldest = np.maximum(eldest, 1.3 * np.maximum(children - 1, 0) + 0.1)
    gap = np.maximum(1.3, eldest * 0.7 / np.maximum(children, 1))
    grown = np.maximum(parent - rng.uniform(21, 32, n), 19)
    years = {
        HEAD: head,
        SPOUSE: spouse,
        ELDER: head + rng.uniform(21, 33, n),
        CHILD: eldest,
        CHILD + 1: np.maximum(eldest - gap, 0.1),
        CHILD + 2: np.maximum(eldest - 2 * gap, 0.1),
        ADULT_CHILD: grown,
        COHABITANT: rng.uniform(20, 60, n),
    }
    return {role: (age * YEAR).astype(np.int64) for role, age in years.items()}


def _sexes(rng: np.random.Generator, kind: Ints) -> dict[int, Ints]:
    n = len(kind)
    head = rng.random(n) >= np.array([_FEMALE_HEADS[k] for k in KINDS])[kind]
    sexes = {r: rng.random(n) < 0.51 for r in (CHILD, CHILD + 1, CHILD + 2, ADULT_CHILD, COHABITANT)}
    sexes |= {HEAD: head, SPOUSE: ~head, ELDER: rng.random(n) < 0.25}
    return {role: is_male.astype(np.int64) for role, is_male in sexes.items()}
