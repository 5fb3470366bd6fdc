"""Every kind of event and the function that makes one; `rates.EVENTS` says how often."""

from collections.abc import Callable
from datetime import datetime

from sources.simulate import family_events, register_events
from sources.simulate.chance import Random
from sources.simulate.draft import Draft

EVENTS: dict[str, Callable[[Random, Draft, datetime], bool]] = {
    "move": family_events.move,
    "birth": family_events.birth,
    "marriage": family_events.marriage,
    "divorce": family_events.divorce,
    "death": family_events.death,
    "name_change": family_events.name_change,
    "household_split": family_events.household_split,
    "income_correction": register_events.income_correction,
    "disability_registered": register_events.disability_registered,
    "disability_cancelled": register_events.disability_cancelled,
    "insurance_change": register_events.insurance_change,
    "corporation_change": register_events.corporation_change,
}
