"""`hanbeon consent grant` and `notice`: what an applicant consents to, what she is shown, and what a statute opens.

One applicant's grant may become several authorisations: what she consents to about herself, as owner of a vehicle, as
heir of the deceased, and what a statute opens for the application without anybody's consent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hanbeon.commands.common import (
    ApplicantKind,
    IdentifierFile,
    Json,
    identifiers,
    instant,
    named_identifiers,
    opened,
    print_json,
    print_rows,
)
from hanbeon.commands.who import PERSON, grantor, need_able, one
from hanbeon.errors import UsageError

if TYPE_CHECKING:
    from consent.model import Application, Grant
    from pipeline.run import Run
    from schemas.services import Service

TokenFile = Annotated[
    Path | None,
    typer.Option(
        "--token-file",
        help="Signed authentications, one a line. [default: the simulated world's identity provider]",
        show_default=False,
    ),
]
Grounds = Annotated[
    list[str] | None,
    typer.Option("--ground", help="Only this separate consent is given; may be repeated.", show_default=False),
]
Documents = Annotated[
    list[str] | None,
    typer.Option("--document", help="Only this document type; may be repeated.", show_default=False),
]
Until = Annotated[str | None, typer.Option("--until", help="END date. [default: the service's]", show_default=False)]
Application_ = Annotated[
    str | None, typer.Option("--application", help="The application that it is for.", show_default=False)
]
About = Annotated[
    Path | None,
    typer.Option(
        "--about",
        help="What else documents are about, one KIND:NUMBER a line: a vehicle (VIN), a parcel (PNU), the deceased.",
        show_default=False,
    ),
]
HEADINGS = {
    "authorisation_id": "동의번호 authorisation",
    "kind": "종류 kind",
    "service": "서비스 service",
    "recipient": "이용기관 recipient",
    "application_id": "신청번호 application",
    "documents": "서류 documents",
    "valid_until": "까지 until",
}


@dataclass(frozen=True)
class _Applicant:
    """Whose consent it is: who applies, or a member of her household. `numbered_by` is the kind of her own number."""

    key: int
    kind: str
    application_id: str | None
    numbered_by: str = ""


def grant(
    service_id: Annotated[
        str | None, typer.Option("--service", help="The service. An application already names it.", show_default=False)
    ] = None,
    application_id: Application_ = None,
    identifier_file: IdentifierFile = None,
    kind: ApplicantKind = None,
    documents: Documents = None,
    about: About = None,
    member: Annotated[
        Path | None,
        typer.Option(
            "--member",
            help="A file with the number of the member of the household whose consent it is. [default: who applies]",
            show_default=False,
        ),
    ] = None,
    until: Until = None,
    grounds: Grounds = None,
    token_file: TokenFile = None,
    by: Annotated[
        Path | None,
        typer.Option("--by", help="A file with the number of who consents for the subject.", show_default=False),
    ] = None,
    capacity: Annotated[
        str | None,
        typer.Option(
            "--capacity", help="As what: guardian_of_child, guardian_of_ward, heir, representative.", show_default=False
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Record a consent: for one application, or for each identifier of a file (opening applications if need be).

    Each member of a household whom the application names consents for herself (--member); a child's guardian for her.
    """
    from consent import applications, ledger
    from hanbeon import authenticating, granting

    _need_one_way(service_id, application_id, identifier_file, about, member)
    valid_until = instant(until, "--until")
    with opened() as run:
        at = run.at()
        acting, as_what = grantor(run, by, capacity, at)
        chosen, applicants, new = _applicants(run, service_id, application_id, identifier_file, kind)
        if member is not None:
            applicants = [_member(run, str(application_id), applicants[0], member)]
        others = _others(run, about)
        grants = [
            given
            for a in applicants
            for given in granting.need_some(chosen, granting.grants(
                chosen, a.kind, a.key, a.application_id, at, valid_until, documents or (), grounds,
                about=others, grantor_key=acting, capacity=as_what, is_member=member is not None,
            ))
        ]  # fmt: skip
        need_able(run, applicants[0].numbered_by or applicants[0].kind, grants, at)
        with run.conn.transaction():
            grants = authenticating.proven(run, grants, token_file)
            applications.open_many(run.conn, new, at)
            ids = ledger.grant(run.conn, grants, at)
    is_simulated = token_file is None and any(g.grantor_key is not None for g in grants)
    if is_simulated and not as_json:
        print("모의 본인확인기관에서 본인확인함 · authenticated by the simulated world's identity provider")
    rows = [_row(i, g) for i, g in zip(ids, grants, strict=True)]
    print_rows(rows, HEADINGS, as_json=as_json, title="동의 기록 Granted", empty="Nothing was granted.")


def _row(authorisation_id: str, given: "Grant") -> dict[str, Any]:
    return {
        "authorisation_id": authorisation_id,
        "kind": str(given.kind),
        "service": given.service,
        "recipient": given.recipient,
        "application_id": given.application_id,
        "documents": list(dict.fromkeys(s.document_type for s in given.scopes)),
        "valid_until": given.valid_until,
    }


def notice(
    service_id: Annotated[str, typer.Option("--service", help="The service.")],
    kind: ApplicantKind = None,
    documents: Documents = None,
    until: Until = None,
    grounds: Grounds = None,
    as_json: Json = False,
) -> None:
    """What is shown before anybody consents, in Korean and English, and the hash that a token must name."""
    from consent.evidence import notice_of
    from consent.model import Kind
    from hanbeon.clock import now
    from hanbeon.granting import applicant_kind, grants, need_some
    from schemas.identifiers import KINDS
    from schemas.services import service

    chosen = service(service_id)
    anything = dict.fromkeys(KINDS, (0,))
    given = need_some(chosen, grants(
        chosen, applicant_kind(chosen, kind), 0, "any", now(), instant(until, "--until"), documents or (), grounds,
        about=anything,
    ))  # fmt: skip
    shown = [notice_of(g) for g in given if g.kind is not Kind.STATUTE]
    if not shown:
        raise UsageError(
            f"{chosen.id} rests on {given[0].legal_basis}: nobody is asked to consent, so nothing is shown."
        )
    if as_json:
        print_json(
            [
                {
                    "version": n.version,
                    "hash": n.digest,
                    "grounds": n.grounds,
                    "items": [{"id": i.id, "articles": i.articles, "ko": i.ko, "en": i.en} for i in n.items],
                }
                for n in shown
            ]
        )
        return
    for n in shown:
        print(n.text("ko"), n.text("en"), sep="\n")
        print(f"version {n.version}, hash {n.digest}")


def _need_one_way(
    service_id: str | None,
    application_id: str | None,
    identifier_file: Path | None,
    about: Path | None,
    member: Path | None,
) -> None:
    if (application_id is None) == (identifier_file is None):
        raise UsageError("Name either --application, or --service with --identifier-file.")
    if application_id is None and service_id is None:
        raise UsageError("Name the --service that the identifiers consent to.")
    if about is not None and application_id is None:
        raise UsageError("What --about names belongs to one application. Open it first: `hanbeon application open`.")
    if member is not None and application_id is None:
        raise UsageError("A member consents for one application. Open it first: `hanbeon application open --member`.")


def _member(run: "Run", application_id: str, applicant: _Applicant, path: Path) -> _Applicant:
    """The member whose consent it is. Raises UsageError for somebody whom the application does not name."""
    from consent import applications, vault

    key = vault.find(run.conn, run.secrets, PERSON, [one(path, "the member who consents")]).to_pylist()[0]
    if key is None or key not in (applications.get(run.conn, application_id)["member_keys"] or ()):
        raise UsageError(
            "The application does not name this person as a member of the household. Open one that does:"
            " `hanbeon application open --member`."
        )
    return _Applicant(key, applicant.kind, application_id, PERSON)


def _applicants(
    run: "Run", service_id: str | None, application_id: str | None, identifier_file: Path | None, kind: str | None
) -> "tuple[Service, Sequence[_Applicant], list[Application]]":
    """The service, who applies for it, and the applications to be opened for them."""
    from consent import applications, vault
    from consent.ids import new_id
    from consent.model import Application, Mode
    from hanbeon.granting import applicant_kind
    from schemas.services import service

    if application_id is not None:
        found = applications.get(run.conn, application_id)
        if service_id not in (None, found["service"]):
            raise UsageError(f"The application is for {found['service']}, not for the service that was named.")
        one = _Applicant(found["applicant_key"], found["applicant_kind"], application_id)
        return service(found["service"]), [one], []
    chosen, at = service(service_id or ""), run.at()
    of_kind = applicant_kind(chosen, kind)
    keys = vault.keys(run.conn, run.secrets, of_kind, identifiers(identifier_file, of_kind), at).to_pylist()
    if chosen.mode != Mode.ONE_TIME:
        return chosen, [_Applicant(key, of_kind, None) for key in keys], []
    new = [Application(new_id("appl"), chosen.id, chosen.recipient, key, at, of_kind) for key in keys]
    return chosen, [_Applicant(a.applicant_key, of_kind, a.application_id) for a in new], new


def _others(run: "Run", about: Path | None) -> Mapping[str, Sequence[int]]:
    """The keys of what the documents are about besides the applicant, by kind of identifier."""
    from consent import vault

    given: dict[str, list[str]] = {}
    for kind, value in named_identifiers(about) if about else ():
        given.setdefault(kind, []).append(value)
    at = run.at()
    return {kind: vault.keys(run.conn, run.secrets, kind, values, at).to_pylist() for kind, values in given.items()}
