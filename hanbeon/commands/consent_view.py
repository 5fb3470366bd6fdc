"""One consent as its citizen reads it, Korean first. No key and no number stands in it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hanbeon.clock import seoul_text
from hanbeon.commands.common import safe
from hanbeon.errors import UsageError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline.run import Run


def consent_of(run: "Run", authorisation_id: str) -> dict[str, Any]:
    """Terms, documents with Korean column names, events and readers of one authorisation."""
    from consent import accesses, ledger
    from consent.gate import explain
    from consent.narrow import snapshot_of_subject
    from exchange.document import column_names, document_name
    from exchange.words import CAPACITIES, EVENTS, KINDS, MODES, REASONS, STATES, both
    from schemas.services import recipients, service

    rows = ledger.authorisations(run.conn, authorisation_id=authorisation_id).to_pylist()
    if not rows:
        raise UsageError("There is no consent with this id. `hanbeon consent list` shows them.")
    first = rows[0]
    at = run.at()
    reasons = {
        (document, key): None if reason is None else str(reason)
        for subject in sorted({r["_subject_key"] for r in rows})
        for document, key, reason in explain(snapshot_of_subject(run.conn, subject), at, authorisation_id)
    }
    recipient = next((r for r in recipients() if r.id == first["recipient"]), None)
    chosen = service(first["service"])
    readers = accesses.listing(run.conn, authorisation_ids=[authorisation_id]).to_pylist()
    return {
        "authorisation_id": authorisation_id,
        "kind": both(KINDS, first["kind"]),
        "state": both(STATES, first["state"]),
        "mode": both(MODES, first["mode"]),
        "capacity": both(CAPACITIES, first["grantor_capacity"]),
        "cycle": first["cycle"],
        "frequency_cap": first["frequency_cap"],
        "used_count": first["used_count"],
        "recipient": f"{recipient.korean} · {recipient.english}" if recipient else first["recipient"],
        "service": f"{chosen.korean} · {chosen.english}",
        "purpose": first["purpose"],
        "legal_basis": first["legal_basis"],
        "application_id": first["application_id"],
        "valid_from": first["valid_from"],
        "valid_until": first["valid_until"],
        "documents": [
            {
                "document_type": r["document_type"],
                "korean": document_name(r["document_type"]),
                "columns": column_names(r["document_type"], r["columns"]),
                "flows": reasons.get((r["document_type"], r["_subject_key"]), "no_authorisation") is None,
                "reason": both(REASONS, reasons.get((r["document_type"], r["_subject_key"]))),
            }
            for r in rows
        ],
        "events": [
            {"position": e.position, "instant": e.instant, "event": both(EVENTS, e.kind)}
            for e in ledger.history(run.conn, authorisation_id)
        ],
        "readers": [
            {n: a[n] for n in ("access_id", "recorded_at", "reader", "action", "document_type", "is_granted")}
            for a in readers
        ],
    }


def render(shown: Mapping[str, Any]) -> "RenderableType":
    """The same as a page."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    facts = Table.grid(padding=(0, 2))
    for name, key in (
        ("이용기관", "recipient"),
        ("서비스", "service"),
        ("목적", "purpose"),
        ("근거", "legal_basis"),
        ("종류", "kind"),
        ("방식", "mode"),
        ("동의한 자격", "capacity"),
        ("상태", "state"),
    ):
        facts.add_row(Text(name, "bold"), Text(safe(shown[key])))
    period = f"{seoul_text(shown['valid_from'])} ~ {seoul_text(shown['valid_until'])}"
    facts.add_row(Text("기간", "bold"), Text(period))
    documents = Table.grid(padding=(0, 2))
    for d in shown["documents"]:
        mark = Text("✓", "green") if d["flows"] else Text("✗", "red")
        why = Text("") if d["flows"] else Text(f"\n{safe(d['reason'])}", "red")
        title = Text(f"{safe(d['korean'])} ({d['document_type']})", "bold")
        documents.add_row(mark, Text.assemble(title, "\n", Text(safe(d["columns"]), "dim"), why))
    events = Table.grid(padding=(0, 2))
    for e in shown["events"]:
        events.add_row(Text(f"#{e['position']}", "dim"), Text(seoul_text(e["instant"])), Text(safe(e["event"])))
    readers = Table.grid(padding=(0, 2))
    for a in shown["readers"][-10:]:
        refused = "" if a["is_granted"] else "거부됨 · refused"
        readers.add_row(seoul_text(a["recorded_at"]), safe(a["reader"]), safe(a["document_type"]), refused)
    panel = Panel(facts, title=Text(f"동의 {safe(shown['authorisation_id'])}"), title_align="left")
    parts: list[RenderableType] = [panel]
    for heading, body in (("이용하는 정보 · What it covers", documents), ("기록 · What happened", events)):
        parts += [Text(heading, "bold"), Padding(body, (0, 0, 1, 2))]
    parts += [Text(f"열람 · Who has read ({len(shown['readers'])})", "bold"), Padding(readers, (0, 0, 0, 2))]
    return Group(*parts)
