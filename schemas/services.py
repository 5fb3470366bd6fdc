"""Services and their bundles: `services.yaml` in, frozen dataclasses out."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from hanbeon.errors import UsageError
from schemas.errors import MalformedContract

FILE = Path(__file__).parent / "services.yaml"


@dataclass(frozen=True)
class Requirement:
    """One document that a service needs: the narrowest variant and just the columns that its law needs.

    `is_available` is false while the project does not pull that document type as data: it comes on paper.
    """

    document_type: str
    is_available: bool
    variant: str | None
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Service:
    """`applicants` are the kinds of identifier that may name who applies, the usual one first."""

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
    requirements: tuple[Requirement, ...]

    @property
    def data_requirements(self) -> tuple[Requirement, ...]:
        return tuple(r for r in self.requirements if r.is_available)


@dataclass(frozen=True)
class Recipient:
    id: str
    korean: str
    english: str


@cache
def services(file: Path = FILE) -> tuple[Service, ...]:
    """Every service. Raises MalformedContract naming what is wrong."""
    try:
        return tuple(
            Service(
                id=s["id"],
                korean=s["ko"],
                english=s["en"],
                recipient=s["recipient"],
                applicants=tuple(s["applicants"]),
                purpose=s["purpose"],
                law=s["law"],
                authorisation=s["authorisation"],
                legal_basis=s["legal_basis"],
                mode=s["mode"],
                decision_days=int(s["decision_days"]),
                requirements=tuple(
                    Requirement(r["document"], r.get("available", True), r.get("variant"), tuple(r.get("columns", ())))
                    for r in s["requirements"]
                ),
            )
            for s in yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
        )
    except (KeyError, TypeError, yaml.YAMLError) as error:
        raise MalformedContract(f"{file.name} is not a usable list of services: {error}.") from error


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
