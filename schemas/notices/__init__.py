"""Notices: what is shown before anybody consents or demands, in Korean and English, and the hash that is signed over.

In: a version's texts (`<version>.yaml` beside this file) and what is asked for: service, documents, columns, validity,
retention, the consents that were given. Out: a frozen `Notice`, the same for the same input on every machine. Its
digest covers every text of it, so that a text that was swapped later no longer matches what the citizen's token names.
Published versions stay and never change.

Try it: `python -m hanbeon consent notice --service DISABILITY_PENSION`
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from hanbeon.clock import seoul_date
from hanbeon.errors import UsageError
from schemas.column import Column
from schemas.contract import source
from schemas.errors import MalformedContract
from schemas.services import Requirement, Service, recipients

FOLDER = Path(__file__).parent
CURRENT = "1"
# 전자정부법 시행령 제90조 (민감정보 및 고유식별정보의 처리): the statute that PIPA 24-2 asks for.
IDENTIFIER_STATUTE = "전자정부법 시행령 제90조"
NEEDED = ("collection", "provision")  # without these nothing flows; without another ground its columns do not
CLASSES = {"sensitive": "sensitive", "unique": "unique_id"}  # ground -> classification in the contracts
MODES = {"one_time": ("1회", "once"), "standing": ("지속", "standing")}


@dataclass(frozen=True)
class Item:
    """One thing that the law wants shown, with the articles that want it."""

    id: str
    articles: tuple[str, ...]
    ko: str
    en: str


@dataclass(frozen=True)
class Consent:
    """One separate consent (PIPA 22, 1): what was asked for, and the answer."""

    ground: str
    article: str
    ko: str
    en: str
    is_given: bool


@dataclass(frozen=True)
class Notice:
    """What was shown, whole."""

    version: str
    title_ko: str
    title_en: str
    items: tuple[Item, ...]
    consents: tuple[Consent, ...] = ()

    @cached_property
    def body(self) -> str:
        """Canonical JSON of the whole."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.body.encode("utf-8")).hexdigest()

    @property
    def grounds(self) -> tuple[str, ...]:
        """The consents that were given."""
        return tuple(c.ground for c in self.consents if c.is_given)

    def text(self, language: str) -> str:
        """The page that a person reads; `ko` or `en`."""
        is_korean = language == "ko"
        answers = _template(self.version)["answers"]
        lines = [self.title_ko if is_korean else self.title_en, ""]
        lines += [f"{n}. {item.ko if is_korean else item.en}" for n, item in enumerate(self.items, 1)]
        for c in self.consents:
            answer = answers["given" if c.is_given else "refused"][language]
            lines.append(f"[{answer}] {c.ko if is_korean else c.en} ({c.article})")
        return "\n".join(lines) + "\n"


def versions() -> tuple[str, ...]:
    """Every version that was ever published, oldest first."""
    return tuple(sorted((p.stem for p in FOLDER.glob("*.yaml")), key=int))


@lru_cache(maxsize=256)
def notice(
    service: Service,
    requirements: tuple[Requirement, ...],
    valid_until: datetime,
    retain_until: datetime,
    given: frozenset[str] | None = None,
    version: str = CURRENT,
) -> Notice:
    """The notice of a service for these documents, which have one ground in law.

    `given` are the consents given; None: every one that is asked for. Raises UsageError for a ground that is not asked
    for.
    """
    template, asked = _template(version), grounds(requirements)
    strange = sorted((given or frozenset()) - set(asked))
    if strange:
        raise UsageError(f"This asks for no consent named {', '.join(strange)}. Asked for: {', '.join(asked)}.")
    values = _values(service, requirements, valid_until, retain_until)
    named = {source(r.document_type).holder: source(r.document_type).properties["holderName"] for r in requirements}
    values["holders"] = ", ".join(template["holders"].get(h, name) for h, name in named.items())
    kind = requirements[0].authorisation if requirements else service.authorisation
    title = template["title"][kind]
    return Notice(
        version=version,
        title_ko=title["ko"],
        title_en=title["en"],
        items=tuple(
            Item(i["id"], tuple(i["articles"]), i["ko"].format_map(values), i["en"].format_map(values))
            for i in template["items"]
            if i.get("only", kind) == kind
        ),
        consents=tuple(
            Consent(
                g["id"],
                g["article"],
                g["ko"].format_map(values),
                g["en"].format_map(values),
                given is None or g["id"] in given,
            )
            for g in template["grounds"]
            if g["id"] in asked
        ),
    )


def act_notice(
    act: str, authorisation_id: str, ends: Mapping[str, datetime] | None = None, version: str = CURRENT
) -> Notice:
    """What is shown before a consent is paused, resumed, renewed or withdrawn. A renewal names its new ends."""
    texts = _template(version)["acts"][act]
    values = {"authorisation_id": authorisation_id} | {n: f"{seoul_date(v):%Y-%m-%d}" for n, v in (ends or {}).items()}
    return Notice(version, texts["ko"].format_map(values), texts["en"].format_map(values), ())


def grounds(requirements: Sequence[Requirement]) -> tuple[str, ...]:
    """The separate consents that these documents ask for (PIPA 22, 1)."""
    return _grounds(tuple(requirements))


@lru_cache(maxsize=1_024)
def _grounds(requirements: tuple[Requirement, ...]) -> tuple[str, ...]:
    found = {ground for r in requirements for ground in map(ground_of, _columns(r).values()) if ground}
    return (*NEEDED, *(g for g in CLASSES if g in found))


def ground_of(column: Column) -> str | None:
    """The ground that a column needs beside those that everything needs."""
    return next((ground for ground, name in CLASSES.items() if column.classification == name), None)


def narrowed(requirement: Requirement, given: Collection[str]) -> tuple[str, ...]:
    """The columns of a requirement that these consents let flow."""
    return _narrowed(requirement, frozenset(given))


@lru_cache(maxsize=1_024)
def _narrowed(requirement: Requirement, given: frozenset[str]) -> tuple[str, ...]:
    if not given.issuperset(NEEDED):
        return ()
    needs = {path: ground_of(column) for path, column in _columns(requirement).items()}
    return tuple(path for path, ground in needs.items() if ground is None or ground in given)


def lacking(document_type: str, columns: Sequence[str], given: Collection[str]) -> tuple[str, ...]:
    """The grounds that these columns need and that were not given."""
    asked = {ground_of(column) for column in _named(document_type, columns).values()}
    return tuple(g for g in (*NEEDED, *CLASSES) if (g in NEEDED or g in asked) and g not in given)


def template_digest(version: str) -> str:
    """The digest of a version's texts, which a test pins."""
    return hashlib.sha256(_file(version).read_bytes()).hexdigest()


def _file(version: str) -> Path:
    if version not in versions():
        raise UsageError(f"There is no notice of that version. Published: {', '.join(versions())}.")
    return FOLDER / f"{version}.yaml"


@cache
def _template(version: str) -> Mapping[str, Any]:
    found = yaml.safe_load(_file(version).read_text(encoding="utf-8"))
    if not isinstance(found, dict) or found.get("version") != version:
        raise MalformedContract(f"The notice of version {version} does not say so itself. Correct its file.")
    return found


def _columns(requirement: Requirement) -> dict[str, Column]:
    return _named(requirement.document_type, requirement.columns)


def _named(document_type: str, paths: Sequence[str]) -> dict[str, Column]:
    """Columns of a document by path; those that the contract does not know are left out."""
    known = source(document_type).columns_by_path
    return {path: known[path] for path in paths if path in known}


def _values(
    service: Service, requirements: Sequence[Requirement], valid_until: datetime, retain_until: datetime
) -> dict[str, str]:
    recipient = next(r for r in recipients() if r.id == service.recipient)
    mode_ko, mode_en = MODES[service.mode]
    columns = [(path, column) for r in requirements for path, column in _columns(r).items()]
    of_ground = {g: [(p, c) for p, c in columns if ground_of(c) == g] for g in CLASSES}
    return {
        "service_en": service.english,
        "purpose": service.purpose,
        "law": service.law,
        "recipient": recipient.korean,
        "recipient_en": recipient.english,
        "documents": "\n".join(f"   - {_names(r)[0]}: {', '.join(_korean(r))}" for r in requirements),
        "documents_en": "\n".join(f"   - {_names(r)[1]}: {', '.join(_columns(r))}" for r in requirements),
        "mode": mode_ko,
        "mode_en": mode_en,
        "valid_until": f"{seoul_date(valid_until):%Y-%m-%d}",
        "retain_until": f"{seoul_date(retain_until):%Y-%m-%d}",
        "identifier_statute": IDENTIFIER_STATUTE,
        **{g: ", ".join(dict.fromkeys(c.korean for _, c in found)) for g, found in of_ground.items()},
        **{f"{g}_en": ", ".join(dict.fromkeys(p for p, _ in found)) for g, found in of_ground.items()},
    }


def _korean(requirement: Requirement) -> list[str]:
    return [column.korean for column in _columns(requirement).values()]


def _names(requirement: Requirement) -> tuple[str, str]:
    """A document's name in Korean and in English, from its contract."""
    korean, _, rest = source(requirement.document_type).description.partition(" (")
    return korean, rest.partition(")")[0] or requirement.document_type
