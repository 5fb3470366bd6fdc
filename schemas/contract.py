"""A data contract: Open Data Contract Standard YAML in, a frozen `Contract` out.

`load_all()` reads every contract of the project. A *source* contract says how a holder delivers a dataset;
a *published* contract says how a gold table looks. Columns that consent can name are written as paths:
`STDG_CD` for a document's own column, `members.FMBR_NM` for a column of a repeating group.

Try it: `python -c "from schemas.contract import source; print(source('RRT').column_paths)"`
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from hanbeon.clock import seoul_date
from schemas.column import Column, Group
from schemas.errors import MalformedContract
from schemas.odcs import content, custom
from schemas.table_name import TableName

FOLDER = Path(__file__).parent / "contracts"

# Every bronze and gold table carries these, in this order (docs/pipeline.md, The lake).
# `_variant` and `_observed_at` belong to the grain: a row is one state of (subject, variant, source record).
PIPELINE_FIELDS: tuple[pa.Field, ...] = (
    pa.field("_subject_key", pa.int64()),
    pa.field("_key_bucket", pa.int32()),
    pa.field("_evidence_id", pa.string()),
    pa.field("_authorisation_id", pa.string()),
    pa.field("_variant", pa.string()),
    pa.field("_source_record_id", pa.string()),
    pa.field("_source_record_hash", pa.binary()),
    pa.field("_observed_at", pa.timestamp("us", tz="UTC")),
    pa.field("_valid_to", pa.timestamp("us", tz="UTC")),
    pa.field("_pulled_at", pa.timestamp("us", tz="UTC")),
    pa.field("_run_id", pa.string()),
)
LINE_FIELDS: tuple[pa.Field, ...] = (pa.field("_line_no", pa.int32()), pa.field("_person_key", pa.int64()))
TOMBSTONE_FIELD = pa.field("_is_deleted", pa.bool_())

# A published table whose newer major version stands beside it, and its last day (Open Data Contract Standard 3.1).
DEPRECATED, END_OF_LIFE = "deprecated", "endOfLife"

# Both are safe loaders; the one in C reads a hundred contracts in a tenth of the time.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Contract:
    id: str
    name: str
    version: str
    kind: Literal["source", "published"]
    description: str
    grain: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    properties: Mapping[str, Any]
    digest: str
    path: Path
    status: str = "active"
    end_of_life: str | None = None

    @property
    def document_type(self) -> str:
        return str(self.properties["documentType"])

    @property
    def holder(self) -> str:
        return str(self.properties["holder"])

    @property
    def dataset(self) -> str:
        """`<holder>/<dataset>` of a source contract, as in `bronze/<holder>/<dataset>`."""
        return f"{self.holder}/{self.name}"

    @property
    def slug(self) -> str:
        """`<holder>__<dataset>`, as in dbt sources and staging models."""
        return f"{self.holder}__{self.name}"

    @property
    def published(self) -> str:
        """The gold table of a source contract's document type."""
        return str(self.properties["published"])

    @property
    def table(self) -> TableName:
        """What the name of a published table says; of a source contract, the table that it publishes."""
        return TableName.of(self.name if self.kind == "published" else self.published)

    @property
    def model(self) -> str:
        """The name of a published table's dbt model, whatever the version."""
        return f"{self.table.document}__{self.table.group}" if self.table.group else self.table.document

    @property
    def is_former(self) -> bool:
        """Whether a newer major version stands beside this published table (Open Data Contract Standard, `status`)."""
        return self.kind == "published" and self.status == DEPRECATED

    @property
    def published_until(self) -> date | None:
        """The last day in Seoul on which a former version is published; None where it does not say one."""
        try:
            return date.fromisoformat(self.end_of_life or "")
        except ValueError:
            return None

    def is_over(self, at: datetime) -> bool:
        """Whether nothing may be published here any more. A former version that does not say until when is over."""
        return self.is_former and ((until := self.published_until) is None or seoul_date(at) > until)

    @property
    def delivery(self) -> Mapping[str, Any]:
        value: Mapping[str, Any] = self.properties["delivery"]
        return value

    @property
    def subject_identifier_kind(self) -> str:
        return str(self.properties["subjectIdentifierKind"])

    @property
    def subject_identifier_kinds(self) -> tuple[str, ...]:
        """Every kind by which the holder finds a subject, the one to ask by first (a tax payer may be a firm)."""
        return (self.subject_identifier_kind, *self.properties.get("otherIdentifierKinds", ()))

    @property
    def variants(self) -> tuple[str, ...]:
        """Narrowest first."""
        return tuple(self.properties["variants"])

    @property
    def maximum_failing_share(self) -> float:
        return float(self.properties.get("maximumFailingShare", 0.0))

    @property
    def deletes(self) -> str:
        """`flag` (the holder marks deleted records) or `absence` (a full delivery lacks them)."""
        return str(self.properties["deletes"])

    @property
    def content(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if not c.is_identifier)

    @property
    def subject_column(self) -> Column:
        return next(c for c in self.columns if c.identifies == "subject")

    @cached_property
    def column_paths(self) -> tuple[str, ...]:
        """Every column that an authorisation can name, in contract order, as official paths."""
        return tuple(self.columns_by_path)

    @cached_property
    def columns_by_path(self) -> Mapping[str, Column]:
        """The columns of a source contract, and of its groups, by the path that an authorisation says."""
        everything = [(None, self.content), *((g.name, g.content) for g in self.groups)]
        return {path: c for group, columns in everything for c in columns for path in c.paths(group)}

    @cached_property
    def delivered_schema(self) -> pa.Schema:
        """What a connector yields: control fields, the holder's columns, identifiers in clear (memory only).

        `_subject_key` comes from the request set; `_record_id` is the holder's natural id; each group is a
        list of structs that starts with `_line_no`.
        """
        control = [
            pa.field("_subject_key", pa.int64()),
            pa.field("_variant", pa.string()),
            pa.field("_record_id", pa.string()),
            pa.field("_observed_at", pa.timestamp("us", tz="UTC")),
            TOMBSTONE_FIELD,
        ]
        own = [c.arrow_field for c in self.content]
        groups = [
            pa.field(g.name, pa.list_(pa.struct([LINE_FIELDS[0], *(c.arrow_field for c in g.columns)])))
            for g in self.groups
        ]
        return pa.schema(control + own + groups)

    @cached_property
    def bronze_schema(self) -> pa.Schema:
        """The bronze table: pipeline fields, `_is_deleted`, the holder's columns, groups with `_person_key`."""
        own = [c.arrow_field for c in self.content]
        groups = [
            pa.field(g.name, pa.list_(pa.struct([*LINE_FIELDS, *(c.arrow_field for c in g.content)])))
            for g in self.groups
        ]
        return pa.schema([*PIPELINE_FIELDS, TOMBSTONE_FIELD, *own, *groups])

    @cached_property
    def gold_schema(self) -> pa.Schema:
        """A published table: pipeline fields, line fields for a group's table, official columns."""
        lines = LINE_FIELDS if self.group else ()
        return pa.schema([*self.pipeline_fields, *lines, *(c.arrow_field for c in self.columns)])

    @property
    def pipeline_fields(self) -> tuple[pa.Field, ...]:
        """All of them, but where a published contract lists fewer in `pipelineColumns` (a table about no person)."""
        wanted = self.properties.get("pipelineColumns")
        return PIPELINE_FIELDS if wanted is None else tuple(f for f in PIPELINE_FIELDS if f.name in wanted)

    @property
    def group(self) -> str | None:
        """The repeating group whose lines this published table holds, if it is a child table."""
        value = self.properties.get("group")
        return str(value) if value else None


def read(path: Path) -> Contract:
    """Read one contract file. Raises MalformedContract naming the file."""
    raw = path.read_bytes()
    try:
        odcs = OpenDataContractStandard.model_validate(yaml.load(raw.decode("utf-8"), _LOADER))  # noqa: S506
        table = (odcs.schema_ or [])[0]
        columns, groups = content(table)
        own = custom(odcs.customProperties)
        return Contract(
            id=odcs.id or "",
            name=odcs.name or "",
            version=odcs.version or "",
            kind=own["kind"],
            description=(odcs.description.purpose if odcs.description else None) or "",
            grain=table.description or "",
            columns=columns,
            groups=groups,
            properties=own,
            digest=hashlib.sha256(raw).hexdigest(),
            path=path,
            status=odcs.status or "active",
            end_of_life=next((str(p.value) for p in odcs.slaProperties or [] if p.property == END_OF_LIFE), None),
        )
    except MalformedContract:
        raise
    except Exception as error:  # a contract is outside input: whatever is wrong with it is said in one sentence
        raise MalformedContract(
            f"{path.name} is not a usable contract: {error}. Compare it with its neighbours."
        ) from error


@cache
def load_all(folder: Path = FOLDER) -> tuple[Contract, ...]:
    return tuple(read(p) for p in sorted(folder.rglob("*.yaml")))


def sources(folder: Path = FOLDER) -> tuple[Contract, ...]:
    return tuple(c for c in load_all(folder) if c.kind == "source")


def published(folder: Path = FOLDER) -> tuple[Contract, ...]:
    return tuple(c for c in load_all(folder) if c.kind == "published")


def marts(folder: Path = FOLDER) -> tuple[Contract, ...]:
    """The published tables that dbt makes; `service_bundles` comes of ledger and gold when it is committed."""
    return tuple(c for c in published(folder) if c.properties.get("computedAt") != "commit")


def source(document_type: str, folder: Path = FOLDER) -> Contract:
    """The source contract of a document type. Raises MalformedContract when there is none."""
    for c in sources(folder):
        if c.document_type == document_type:
            return c
    raise MalformedContract(f"No source contract for document type {document_type}.")


def gold(name: str, folder: Path = FOLDER) -> Contract:
    """The published contract of a gold table."""
    for c in published(folder):
        if c.name == name:
            return c
    raise MalformedContract(f"No published contract named {name}.")
