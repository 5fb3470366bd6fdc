"""What the holders truly hold, now or at an earlier instant, in published form: for checks alone.

    truth(home, "RRT")  ->  {"household_extract": table, "household_extract__members": table}

Columns: `identifier` of the subject in clear, `_variant`, `_observed_at`, for lines `_line_no` and `person_identifier`,
then the official columns. One set of rows for each variant. Nothing here comes from a connector or from dbt.
Try it: `python -c "from pathlib import Path; from sources.simulate.truth import *; print(truth(Path('var'), 'RRT'))"`
"""

from datetime import datetime
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from hanbeon.errors import UsageError
from schemas.contract import source
from sources.simulate import forms, store

CONTROL = ("record_id", "identifier", "changed_at", "is_deleted")
MARKS = ("is_subject", "is_current", "general_no")  # which lines a narrower variant shows


def truth(
    home: Path, document_type: str, at: datetime | None = None, *, as_delivered: bool = False
) -> dict[str, pa.Table]:
    """`as_delivered` gives the values as the holder writes them (`forms`), not the standard ones.

    Raises UsageError for an unknown document type, DependencyDown when no world is built.
    """
    if document_type not in store.DOCUMENTS:
        known = ", ".join(sorted(store.DOCUMENTS))
        raise UsageError(f"The world holds no document type of that name. It holds {known}.")
    name = store.DOCUMENTS[document_type]
    tables = store.register(home, name, at)
    if as_delivered:
        tables = forms.delivered(name, tables)
    header = tables[name].filter(~pl.col("is_deleted"))
    made: dict[str, list[pl.DataFrame]] = {t: [] for t in store.register_tables(name)}
    own = [c for c in header.columns if c not in CONTROL]
    for variant in source(document_type).variants:
        narrow = _VARIANTS.get(name, {}).get(variant, _detailed)
        made[name].append(
            header.select("identifier", _variant=pl.lit(variant), _observed_at="changed_at").hstack(header.select(own))
        )
        for table in store.register_tables(name)[1:]:
            made[table].append(_lines(narrow(tables[table]), header, variant))
    return {t: _arrow(pl.concat(parts)) for t, parts in made.items()}


def _lines(lines: pl.DataFrame, header: pl.DataFrame, variant: str) -> pl.DataFrame:
    given = lines.join(header.select("record_id", "identifier"), on="record_id", maintain_order="left")
    person = pl.col("person_identifier") if "person_identifier" in lines.columns else pl.lit(None, pl.String)
    control = {"record_id", "identifier", "changed_at", "line_no", "person_identifier", *MARKS}
    official = [c for c in lines.columns if c not in control]
    return given.select(
        "identifier",
        pl.lit(variant).alias("_variant"),
        pl.col("changed_at").alias("_observed_at"),
        pl.col("line_no").alias("_line_no"),
        person.alias("person_identifier"),
        *official,
    )


def _own_line(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.filter("is_subject")


def _current(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.filter("is_current")


def _specific(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.filter(pl.col("line_no") == 1)


def _general(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.filter(pl.col("general_no").is_not_null()).with_columns(line_no="general_no")


def _detailed(lines: pl.DataFrame) -> pl.DataFrame:
    return lines


def _in_force(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.filter(pl.col("ERSR_YN") == "N") if "ERSR_YN" in lines.columns else lines


# What a variant of a certificate shows of the register's lines, where it does not show them all.
_VARIANTS = {
    "household_extract": {"head_only": _own_line},
    "individual_abstract": {"current_address": _current},
    "family_relation_certificate": {"specific": _specific, "general": _general},
    "marriage_relation_certificate": {"general": _general},
    "real_estate_register": {"current": _in_force},
}


def _arrow(frame: pl.DataFrame) -> pa.Table:
    """Plain Arrow types: `string`, not views or large strings."""
    table = frame.to_arrow()
    plain = {pa.large_string(): pa.string(), pa.string_view(): pa.string()}
    return table.cast(pa.schema([pa.field(f.name, plain.get(f.type, f.type)) for f in table.schema]))


def write_truth(
    home: Path, document_type: str, folder: Path, file_format: str, at: datetime | None = None
) -> list[Path]:
    """Write each table of `truth` as `<table>.parquet` or `<table>.csv`. The paths written."""
    if file_format not in ("parquet", "csv"):
        raise UsageError("The truth is written as parquet or csv.")
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, table in truth(home, document_type, at).items():
        path = folder / f"{name}.{file_format}"
        if file_format == "parquet":
            pyarrow.parquet.write_table(table, path)
        else:
            pyarrow.csv.write_csv(table, path)
        written.append(path)
    return written
