"""What was withdrawn or has expired is granted once more, as the demonstration's citizens would."""

from datetime import datetime, timedelta

from consent import ledger
from consent.model import Grant, Kind, Mode, Scope
from hanbeon import authenticating
from pipeline.run import Run
from schemas import notices
from schemas.services import service

LASTS = timedelta(days=90)


def regrant(run: Run, authorisation_id: str, at: datetime) -> str:
    """A new authorisation with the scopes of an old one, and every separate consent that they ask for. Its id."""
    rows = ledger.authorisations(run.conn, authorisation_id=authorisation_id).to_pylist()
    first = rows[0]
    kind, documents = Kind(first["kind"]), {r["document_type"] for r in rows}
    asked = [
        r
        for r in service(first["service"]).data_requirements
        if r.document_type in documents and r.authorisation == kind
    ]
    again = Grant(
        kind=kind,
        grantor_key=first["_grantor_key"],
        grantor_capacity=first["grantor_capacity"],
        application_id=first["application_id"],
        recipient=first["recipient"],
        service=first["service"],
        purpose=first["purpose"],
        legal_basis=first["legal_basis"],
        mode=Mode(first["mode"]),
        valid_from=at,
        valid_until=at + LASTS,
        retain_until=at + LASTS,
        scopes=tuple(
            Scope(r["_subject_key"], r["document_type"], r["variant"], tuple(r["columns"]), r["holder"]) for r in rows
        ),
        grounds=() if kind is Kind.STATUTE else notices.grounds(asked),
        identifier_statute=first["identifier_statute"],
    )
    return ledger.grant(run.conn, authenticating.simulated(run, [again], at), at)[0]
