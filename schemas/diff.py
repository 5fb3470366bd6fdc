"""Two sides of contracts in, every change between them out, with whom it breaks.

A side is a set of contracts with the code lists of its day: a file, a folder, or what a git revision holds (the command
unpacks it). Contracts meet by id, a new major version of a document's table with the one before it; two single files
meet whatever their ids. A breaking change is allowed where the contract's major version rose and, between two sets, the
former version of a document is kept beside it until a stated day. Columns are matched by name; one that left while one
came that consent knows as it, or with the same Korean name and type, was renamed.

Try it: `hanbeon contracts diff HEAD~1 schemas/contracts`
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from hanbeon.clock import now
from schemas import codes
from schemas.changes import Change, Kind, Severity, touched
from schemas.column_diff import CodesOf, Found, columns_changed
from schemas.contract import Contract, load_all, read
from schemas.errors import MalformedContract
from schemas.services import Service
from schemas.services import services as all_services

IDENTITY = (
    "kind",
    "documentType",
    "holder",
    "published",
    "group",
    "source",
    "deletes",
    "pipelineColumns",
    "hasPersonKey",
)
ELSEWHERE = ("id", "name", "version", "schema", "customProperties")  # compared one by one


@dataclass(frozen=True)
class Side:
    """Contracts by id, and the folder of their code lists."""

    contracts: Mapping[str, Contract]
    codes: Path
    is_file: bool

    def codes_of(self, name: str) -> frozenset[str]:
        """A list's codes; empty where this side has no such list."""
        try:
            return frozenset(e.code for e in codes.entries(name, self.codes))
        except MalformedContract:
            return frozenset()


@dataclass(frozen=True)
class Difference:
    changes: tuple[Change, ...]
    unversioned: tuple[str, ...]  # contracts that break without a new major version
    unkept: tuple[str, ...] = ()  # documents' tables that break while the former version is not published beside them


def side(path: Path) -> Side:
    """A contract file, or a folder of contracts; code lists beside that folder, else the project's own."""
    if path.is_file():
        contract = read(path)
        return Side({contract.id: contract}, codes.FOLDER, is_file=True)
    found = load_all(path.resolve())
    if not found:
        raise MalformedContract(f"{path.name} holds no contract. Name a contract file, a folder of them or a revision.")
    beside = path.resolve().parent / codes.FOLDER.name
    return Side({c.id: c for c in found}, beside if beside.is_dir() else codes.FOLDER, is_file=False)


def diff(
    before: Side, after: Side, services: Sequence[Service] | None = None, at: datetime | None = None
) -> Difference:
    """Every change, contract by contract, and which contracts break without a new major version or without overlap."""
    known = all_services() if services is None else services
    at = now() if at is None else at
    changes: list[Change] = []
    unversioned: list[str] = []
    unkept: list[str] = []
    for old, new in _pairs(before, after):
        given = new or old
        assert given is not None
        found = [
            _change(given, f, known)
            for f in (_contract_changed(old, new, before, after) if old and new else [_alone(old, given, at)])
        ]
        changes += found
        is_breaking = any(c.severity is Severity.BREAKING for c in found)
        if is_breaking and (old is None or new is None or _major(new) <= _major(old)):
            unversioned.append(given.id)
        elif is_breaking and old and not _is_kept(old, after, at):
            unkept.append(given.id)
    return Difference(tuple(changes), tuple(unversioned), tuple(unkept))


def _is_kept(old: Contract, after: Side, at: datetime) -> bool:
    """Whether who reads what is now the former version may go on until a stated day. Only documents have readers."""
    if after.is_file or old.kind != "published" or "documentType" not in old.properties:
        return True
    kept = after.contracts.get(old.id)
    return kept is not None and kept.is_former and kept.table.major == old.table.major and not kept.is_over(at)


def _pairs(before: Side, after: Side) -> Iterator[tuple[Contract | None, Contract | None]]:
    if before.is_file and after.is_file:
        yield next(iter(before.contracts.values())), next(iter(after.contracts.values()))
        return
    if before.is_file or after.is_file:
        raise MalformedContract("A file is compared with a file, a folder or revision with a folder or revision.")
    for key in dict.fromkeys((*before.contracts, *after.contracts)):
        new = after.contracts.get(key)
        yield before.contracts.get(key) or _version_before(new, before), new


def _version_before(new: Contract | None, before: Side) -> Contract | None:
    """The newest version that a document's table had, where this is a new one."""
    if new is None or new.kind != "published":
        return None
    same = [c for c in before.contracts.values() if c.kind == "published" and c.model == new.model]
    return max((c for c in same if c.table.major < new.table.major), key=lambda c: c.table.major, default=None)


def _alone(old: Contract | None, given: Contract, at: datetime) -> Found:
    ended = Kind.CONTRACT_ENDED if given.is_over(at) else Kind.CONTRACT_REMOVED
    kind = Kind.CONTRACT_ADDED if old is None else ended
    return Found(kind, "", given.version)


def _contract_changed(old: Contract, new: Contract, before: Side, after: Side) -> Iterator[Found]:
    found = [
        *_identity(old, new),
        *_variants(old, new),
        *columns_changed(old.columns, new.columns, None, new.kind, CodesOf(before.codes_of, after.codes_of)),
        *_groups(old, new, CodesOf(before.codes_of, after.codes_of)),
        *(_terms(old, new) if old.digest != new.digest else ()),
    ]
    if old.published_until and new.published_until and new.published_until < old.published_until:
        found.append(Found(Kind.OVERLAP_SHORTENED, "", f"{old.published_until} to {new.published_until}"))
    if _parts(new) < _parts(old):
        found.append(Found(Kind.VERSION_LOWERED, "", f"{old.version} to {new.version}"))
    if not found and not _is_next(old, new) and _unversioned(old) != _unversioned(new):
        found.append(Found(Kind.TERMS_CHANGED, "", "something that no rule reads differs in the file"))
    yield from found


def _identity(old: Contract, new: Contract) -> Iterator[Found]:
    for name in ("grain",) if _is_next(old, new) else ("id", "name", "grain"):
        if getattr(old, name) != getattr(new, name):
            yield Found(Kind.IDENTITY_CHANGED, "", f"{name}: {getattr(old, name)} to {getattr(new, name)}")
    for key in sorted({*old.properties, *new.properties} - {"variants"}):
        was, now = old.properties.get(key), new.properties.get(key)
        if was == now:
            continue
        if key == "delivery":
            keys = sorted(k for k in {*(was or {}), *(now or {})} if (was or {}).get(k) != (now or {}).get(k))
            yield Found(Kind.DELIVERY_CHANGED, "", ", ".join(keys))
        elif key in ("subjectIdentifierKind", "otherIdentifierKinds"):
            yield Found(Kind.KEY_CHANGED, "", f"{key}: {was} to {now}")
        else:
            kind = Kind.IDENTITY_CHANGED if key in IDENTITY else Kind.TERMS_CHANGED
            yield Found(kind, "", f"{key}: {was} to {now}")


def _is_next(old: Contract, new: Contract) -> bool:
    """Whether `new` is a later major version of the same published table."""
    is_one_table = old.kind == new.kind == "published" and old.model == new.model
    return is_one_table and old.table.major < new.table.major


def _variants(old: Contract, new: Contract) -> Iterator[Found]:
    was, now = tuple(old.properties.get("variants", ())), tuple(new.properties.get("variants", ()))
    yield from (Found(Kind.VARIANT_REMOVED, "", v, variant=v) for v in was if v not in now)
    yield from (Found(Kind.VARIANT_ADDED, "", v, variant=v) for v in now if v not in was)
    if [v for v in was if v in now] != [v for v in now if v in was]:
        yield Found(Kind.VARIANTS_REORDERED, "", f"{', '.join(was)} to {', '.join(now)}")


def _groups(old: Contract, new: Contract, lists: CodesOf) -> Iterator[Found]:
    was, now = {g.name: g for g in old.groups}, {g.name: g for g in new.groups}
    yield from (Found(Kind.GROUP_REMOVED, g, "", group=g) for g in was if g not in now)
    yield from (Found(Kind.GROUP_ADDED, g, "", group=g) for g in now if g not in was)
    for name in (g for g in was if g in now):
        if was[name].delivery != now[name].delivery:
            yield Found(Kind.DELIVERY_CHANGED, name, "where its lines are", group=name)
        yield from columns_changed(was[name].columns, now[name].columns, name, new.kind, lists)


def _terms(old: Contract, new: Contract) -> Iterator[Found]:
    """What stands beside the schema: description, promises of freshness, status."""
    was, now = (yaml.safe_load(c.path.read_text(encoding="utf-8")) for c in (old, new))
    for key in sorted({*was, *now} - {*ELSEWHERE}):
        if was.get(key) != now.get(key):
            yield Found(Kind.WORDING_CHANGED if key == "description" else Kind.TERMS_CHANGED, "", key)


def _unversioned(contract: Contract) -> object:
    content = yaml.safe_load(contract.path.read_text(encoding="utf-8"))
    return {k: v for k, v in content.items() if k != "version"}


def _change(contract: Contract, found: Found, services: Sequence[Service]) -> Change:
    """A finding with the services that name what it touches: the column, the group's columns, or the document."""
    paths: list[str] = []
    if found.group:
        paths = [p for p in contract.column_paths if p.startswith(f"{found.group}.")]
    elif found.paths is not None:
        group = contract.properties.get("group")
        paths = [p if not group or p.startswith(f"{group}.") else f"{group}.{p}" for p in found.paths]
    reached = touched(contract, frozenset(paths) or None, found.variant, services)
    ids, recipients = {s.id for s in reached}, {s.recipient for s in reached}
    return Change(contract.id, found.kind, found.place, found.detail, tuple(sorted(ids)), tuple(sorted(recipients)))


def _parts(contract: Contract) -> tuple[int, ...]:
    try:
        return tuple(int(p) for p in contract.version.split("."))
    except ValueError:
        raise MalformedContract(f"{contract.id}: version {contract.version} is not of the form 1.2.3.") from None


def _major(contract: Contract) -> int:
    return _parts(contract)[0]
