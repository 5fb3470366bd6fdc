"""What the Open Data Contract Standard (3.1) says of a table, as this project's columns and groups.

In: the standard's own model. Out: `Column` and `Group`, ours among the custom properties.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

from open_data_contract_standard.model import SchemaObject, SchemaProperty

from schemas.column import Column, Group
from schemas.decimals import digits, exact


def custom(properties: Any) -> dict[str, Any]:
    """Properties that are ours, not the standard's, by name."""
    return {p.property: p.value for p in properties or []}


def content(table: SchemaObject) -> tuple[tuple[Column, ...], tuple[Group, ...]]:
    """A table's own columns, and its repeating groups (arrays of objects)."""
    properties = table.properties or []
    return (
        tuple(_column(p) for p in properties if p.logicalType != "array"),
        tuple(_group(p) for p in properties if p.logicalType == "array"),
    )


def _group(p: SchemaProperty) -> Group:
    items = (p.items.properties if p.items else None) or []
    return Group(p.name or "", tuple(_column(i) for i in items), custom(p.customProperties).get("delivery", {}))


def _column(p: SchemaProperty) -> Column:
    extra = custom(p.customProperties)
    options = p.logicalTypeOptions or {}
    delivery = {k: extra[k] for k in ("bytes", "xpath", "field") if k in extra}
    return Column(
        name=p.name or "",
        korean=p.businessName or "",
        logical_type=p.logicalType,  # type: ignore[arg-type]
        is_required=bool(p.required),
        classification=p.classification or "public",
        domain=extra.get("domain"),
        publishes=extra.get("publishes"),
        code_list=extra.get("codeList"),
        pattern=options.get("pattern"),
        min_length=options.get("minLength"),
        max_length=options.get("maxLength"),
        minimum=options.get("minimum"),
        maximum=options.get("maximum"),
        description=p.description or "",
        defined_by=extra.get("definedBy"),
        good_example=_example(p, p.examples[0] if p.examples else None),
        bad_example=_example(p, extra.get("badExample")),
        identifier_kind=extra.get("identifierKind"),
        identifies=extra.get("identifies"),
        delivery=delivery,
        physical_type=p.physicalType or "",
        consented_as=_listed(extra.get("consentedAs")),
        standardised=extra.get("standardised") or {},
        partial_day=bool(extra.get("partialDay")),
    )


def _listed(given: Any) -> tuple[str, ...]:
    """One text, or a list of them."""
    return tuple(map(str, given if isinstance(given, list) else [given] if given else []))


def _example(p: SchemaProperty, given: Any) -> Any:
    """An example as the column's values are; of a number the decimal that it says, else what stands there."""
    if p.logicalType != "number" or given is None or isinstance(given, bool):
        return given
    try:
        said = Decimal(str(given))
    except InvalidOperation:
        return given
    room = digits(p.physicalType or "")
    return said if room is None else exact(said, *room) or said
