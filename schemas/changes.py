"""What a change of a contract means: kinds of change, how much each breaks, and whom it reaches.

A change is *breaking* when what was delivered, stored or read under the old contract may fail under the new one;
*compatible* when nothing can; a *notice* when nothing fails and somebody should still know. `schemas.diff` finds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from schemas.contract import Contract
from schemas.services import Service


class Severity(StrEnum):
    BREAKING = "breaking"
    COMPATIBLE = "compatible"
    NOTICE = "notice"


class Kind(StrEnum):
    CONTRACT_REMOVED = "contract_removed"
    COLUMN_REMOVED = "column_removed"
    COLUMN_RENAMED = "column_renamed"
    REQUIRED_COLUMN_ADDED = "required_column_added"
    TYPE_CHANGED = "type_changed"
    BECAME_REQUIRED = "became_required"
    LENGTH_NARROWED = "length_narrowed"
    RANGE_NARROWED = "range_narrowed"
    PATTERN_NARROWED = "pattern_narrowed"
    CODES_REMOVED = "codes_removed"
    KEY_CHANGED = "key_changed"
    PUBLISHES_CHANGED = "publishes_changed"
    GROUP_REMOVED = "group_removed"
    VARIANT_REMOVED = "variant_removed"
    VARIANTS_REORDERED = "variants_reordered"
    IDENTITY_CHANGED = "identity_changed"
    DELIVERY_CHANGED = "delivery_changed"
    CONSENT_CHANGED = "consent_changed"
    OVERLAP_SHORTENED = "overlap_shortened"
    CONTRACT_ENDED = "contract_ended"
    CONTRACT_ADDED = "contract_added"
    COLUMN_ADDED = "column_added"
    GROUP_ADDED = "group_added"
    VARIANT_ADDED = "variant_added"
    LENGTH_WIDENED = "length_widened"
    RANGE_WIDENED = "range_widened"
    PATTERN_WIDENED = "pattern_widened"
    CODES_ADDED = "codes_added"
    BECAME_OPTIONAL = "became_optional"
    CLASSIFICATION_CHANGED = "classification_changed"
    DOMAIN_CHANGED = "domain_changed"
    RULE_CHANGED = "rule_changed"
    TERMS_CHANGED = "terms_changed"
    EXAMPLE_CHANGED = "example_changed"
    WORDING_CHANGED = "wording_changed"
    VERSION_LOWERED = "version_lowered"


B, C, N = Severity.BREAKING, Severity.COMPATIBLE, Severity.NOTICE
MEANING: dict[Kind, tuple[Severity, str]] = {
    Kind.CONTRACT_REMOVED: (B, "the dataset or table is no longer promised"),
    Kind.COLUMN_REMOVED: (B, "who reads or names the column no longer finds it"),
    Kind.COLUMN_RENAMED: (B, "who reads or delivers the column finds it under another name"),
    Kind.REQUIRED_COLUMN_ADDED: (B, "records without the new column fail"),
    Kind.TYPE_CHANGED: (B, "readers and holders expect the other type"),
    Kind.BECAME_REQUIRED: (B, "records without a value now fail"),
    Kind.LENGTH_NARROWED: (B, "longer or shorter values that passed now fail"),
    Kind.RANGE_NARROWED: (B, "values that passed now lie outside"),
    Kind.PATTERN_NARROWED: (B, "values that passed may not match"),
    Kind.CODES_REMOVED: (B, "values that passed are codes no longer"),
    Kind.KEY_CHANGED: (B, "another column or another kind of number says whose record it is"),
    Kind.PUBLISHES_CHANGED: (B, "the holder's column becomes another official column"),
    Kind.GROUP_REMOVED: (B, "the lines and their child table are gone"),
    Kind.VARIANT_REMOVED: (B, "authorisations and services name a variant that is not there"),
    Kind.VARIANTS_REORDERED: (B, "another variant counts as the narrower one"),
    Kind.IDENTITY_CHANGED: (B, "holder, document type, table, grain or way of deleting is another"),
    Kind.DELIVERY_CHANGED: (B, "the connector looks elsewhere for what the holder delivers"),
    Kind.CONSENT_CHANGED: (B, "consents that were given know the column otherwise, and cover it no more"),
    Kind.OVERLAP_SHORTENED: (B, "readers of the former version lose days that they were promised"),
    Kind.CONTRACT_ENDED: (C, "the former version's last day is over, and nothing is published there"),
    Kind.CONTRACT_ADDED: (C, "nobody depended on it"),
    Kind.COLUMN_ADDED: (C, "nobody reads it yet, and it may be empty"),
    Kind.GROUP_ADDED: (C, "nobody reads its lines yet"),
    Kind.VARIANT_ADDED: (C, "nobody asks for it yet"),
    Kind.LENGTH_WIDENED: (C, "every value that passed still passes"),
    Kind.RANGE_WIDENED: (C, "every value that passed still passes"),
    Kind.PATTERN_WIDENED: (C, "every value that passed still passes"),
    Kind.CODES_ADDED: (N, "readers meet codes that they have not seen"),
    Kind.BECAME_OPTIONAL: (N, "readers may find the column empty"),
    Kind.CLASSIFICATION_CHANGED: (N, "the consents to ask for may differ"),
    Kind.DOMAIN_CHANGED: (N, "the official domain is another, the type is not"),
    Kind.RULE_CHANGED: (N, "the delivered value is standardised by another rule"),
    Kind.TERMS_CHANGED: (N, "cadence, legal basis, threshold or another term differs"),
    Kind.EXAMPLE_CHANGED: (N, "only an example differs"),
    Kind.WORDING_CHANGED: (N, "only names for people, description or source differ"),
    Kind.VERSION_LOWERED: (B, "the version went back"),
}


@dataclass(frozen=True)
class Change:
    """One change. `place` is a column or group, empty for the whole contract; `services` name what it touches."""

    contract: str
    kind: Kind
    place: str
    detail: str
    services: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        return MEANING[self.kind][0]

    @property
    def meaning(self) -> str:
        return MEANING[self.kind][1]


def touched(
    contract: Contract, paths: frozenset[str] | None, variant: str | None, services: Sequence[Service]
) -> list[Service]:
    """The services that name one of these columns (None: any) and, where given, this variant of the document."""
    document = contract.properties.get("documentType")
    return [
        s
        for s in services
        if any(
            r.document_type == document
            and (paths is None or not paths.isdisjoint(r.columns))
            and variant in (None, r.variant)
            for r in s.data_requirements
        )
    ]
