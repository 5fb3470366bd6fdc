"""Services and their bundles: `services.yaml` in, frozen dataclasses out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from hanbeon.errors import UsageError
from schemas.errors import MalformedContract

FILE = Path(__file__).parent / "services.yaml"


STATUTE = "statute"
APPLICANT, HOUSEHOLD, DECEASED, THING = ABOUT = ("applicant", "household", "deceased", "thing")
EVERYBODY, SPOUSE, PARENTS = HOUSEHOLDS = ("everybody", "spouse", "parents")


@dataclass(frozen=True)
class Requirement:
    """One document that a service needs: the narrowest variant and just the columns that its law needs.

    `is_available` is false while the project does not pull that document type as data: it comes on paper.
    `applicants` are the kinds of applicant of whom it is asked. Of requirements with one name in `one_of`, one is
    enough for an applicant. `authorisation` and `legal_basis` are its ground, the service's own unless it says so.
    `is_if_held` marks one that only those bring whom it concerns: nothing is missing where the holder has none.
    `about` is `applicant`, `household` (who applies and each member whom the application names), `deceased` (whose heir
    applies) or `thing` (what the document type is about: a vehicle).
    """

    document_type: str
    is_available: bool
    variant: str | None
    columns: tuple[str, ...]
    applicants: tuple[str, ...]
    one_of: str | None
    authorisation: str
    legal_basis: str
    about: str
    is_if_held: bool


@dataclass(frozen=True)
class Service:
    """`applicants` are the kinds of identifier that may name who applies, the usual one first. `household` says whom
    an application names besides: everybody who lives with her, her spouse, her parents; None: nobody."""

    id: str
    korean: str
    english: str
    recipient: str
    applicants: tuple[str, ...]
    purpose: str
    law: str
    authorisation: str
    legal_basis: str
    mode: str
    decision_days: int
    household: str | None
    requirements: tuple[Requirement, ...]

    @property
    def data_requirements(self) -> tuple[Requirement, ...]:
        return tuple(r for r in self.requirements if r.is_available)

    def needed_of(self, applicant_kind: str) -> tuple[Requirement, ...]:
        """What is asked of an applicant who is named by this kind of identifier."""
        return tuple(r for r in self.requirements if applicant_kind in r.applicants)


@dataclass(frozen=True)
class Recipient:
    id: str
    korean: str
    english: str


@cache
def services(file: Path = FILE) -> tuple[Service, ...]:
    """Every service. Raises MalformedContract naming what is wrong."""
    try:
        given = yaml.safe_load(file.read_text(encoding="utf-8"))
        return tuple(_service(s, given["grounds"]) for s in given["services"])
    except (KeyError, TypeError, yaml.YAMLError) as error:
        raise MalformedContract(f"{file.name} is not a usable list of services: {error}.") from error


def _service(given: Mapping[str, Any], grounds: Mapping[str, str]) -> Service:
    return Service(
        id=given["id"],
        korean=given["ko"],
        english=given["en"],
        recipient=given["recipient"],
        applicants=tuple(given["applicants"]),
        purpose=given["purpose"],
        law=given["law"],
        authorisation=given["authorisation"],
        legal_basis=given["legal_basis"],
        mode=given["mode"],
        decision_days=int(given["decision_days"]),
        household=given.get("household"),
        requirements=tuple(_requirement(r, given, grounds) for r in given["requirements"]),
    )


def _requirement(given: Mapping[str, Any], service: Mapping[str, Any], grounds: Mapping[str, str]) -> Requirement:
    under = given.get("under")
    return Requirement(
        document_type=given["document"],
        is_available=given.get("available", True),
        variant=given.get("variant"),
        columns=tuple(given.get("columns", ())),
        applicants=tuple(given.get("applicants", service["applicants"])),
        one_of=given.get("one_of"),
        authorisation=under or service["authorisation"],
        legal_basis=grounds[under] if under else service["legal_basis"],
        about=given.get("about", APPLICANT),
        is_if_held=given.get("if_held", False),
    )


@cache
def recipients(file: Path = FILE) -> tuple[Recipient, ...]:
    given = yaml.safe_load(file.read_text(encoding="utf-8"))["recipients"]
    return tuple(Recipient(key, value["ko"], value["en"]) for key, value in given.items())


def service(service_id: str) -> Service:
    """Raises UsageError when there is no such service."""
    for s in services():
        if s.id == service_id:
            return s
    raise UsageError(f"No service {service_id}. Known: {', '.join(s.id for s in services())}.")
