"""Tell holders and recipients what they must know, and keep that they received it (P4, P6).

In: what is in the outbox, and where each agency's inbox is. Out: acknowledgements in the log. Each message goes at
least once, under its digest as idempotency key, until its addressee's signed answer is kept; an agency that does not
answer holds up nobody, and its message stays waiting until it is overdue.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from consent import disputes, handovers, outbox
from consent.bodies import body_of
from consent.outbox import Message
from hanbeon.errors import DependencyDown, IntegrityError, SourceError
from pipeline.certificate import signed
from pipeline.run import Run
from schemas.contract import sources
from schemas.table_name import TableName
from sources import endpoints
from sources.bounds import deadline
from sources.endpoints import Endpoints, HttpEndpoint
from sources.http import Client

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path


@dataclass(frozen=True)
class Told:
    """`unanswered` messages wait: their agency has no inbox that we know, is down, or did not acknowledge."""

    acknowledged: int = 0
    unanswered: int = 0

    def counts(self) -> Mapping[str, int]:
        return asdict(self)


def queue_certificate(run: Run, number: int, tables: Iterable[str]) -> list[int]:
    """Tell whoever holds or receives what these tables hold about an erasure certificate; the messages' numbers.

    They get it signed: the JWS holds the certificate.
    """
    recorded = body_of(run.conn, number)
    assert recorded is not None
    body = {"number": number, "signed": signed(run, recorded)}
    at = run.at()
    due = at + timedelta(days=run.settings.retention.acknowledge_within_days)
    concerned = concerned_by(tables)
    return [outbox.send(run.conn, agency, outbox.CERTIFICATE, body, at, due) for agency in concerned]


def concerned_by(tables: Iterable[str]) -> list[str]:
    """Holders and recipients of the documents in these tables."""
    holders = {contract.table.document: contract.holder for contract in sources()}
    found = set()
    for room, *rest in (table.split("/") for table in tables):
        if room in ("bronze", "quarantine", "shares"):
            found.add(rest[0])
        if room in ("gold", "shares"):
            found.add(holders.get(TableName.of(rest[-1]).document, ""))
    return sorted(found - {""})


def carry(run: Run) -> Told:
    """Bring every waiting message to its inbox. Raises nothing for an agency that does not answer."""
    handovers.settle(run.conn, run.at())
    waiting = outbox.waiting(run.conn)
    if not waiting:
        return Told()
    try:
        places: Endpoints = endpoints.read(run.settings.agencies_path / endpoints.FILE_NAME)
    except DependencyDown:
        return Told(0, len(waiting))
    by_agency: dict[str, list[Message]] = {}
    for message in waiting:
        by_agency.setdefault(message.to_agency, []).append(message)
    done = sum(_bring(run, own, places.inbox[agency]) for agency, own in by_agency.items() if agency in places.inbox)
    handovers.settle(run.conn, run.at())
    return Told(done, len(waiting) - done)


def _bring(run: Run, messages: list[Message], endpoint: HttpEndpoint) -> int:
    """How many of one agency's messages it acknowledged; the first that fails ends its turn."""
    agency, done = messages[0].to_agency, 0
    settings = replace(run.settings.sources, retries=1, timeout_seconds=min(10.0, run.settings.sources.timeout_seconds))
    try:
        with Client(agency, endpoint, TOKEN_PATH, settings, deadline(agency, settings)) as client:
            for message in messages:
                envelope = _envelope(run, message)
                if envelope is None:
                    continue
                answer = client.post(f"/inbox/{agency}", envelope, "application/json", "its inbox")
                outbox.acknowledge(run.conn, run.trust, message.number, _token(agency, answer.body), run.at())
                done += 1
    except (SourceError, DependencyDown, IntegrityError):
        return done  # it waits; `hanbeon outbox` shows it, overdue in the end
    return done


def _envelope(run: Run, message: Message) -> bytes | None:
    """What goes over the wire; None for evidence that must not go now."""
    given: dict[str, object] = {
        "origin": run.settings.log.origin,
        "kind": message.kind,
        "digest": message.digest.hex(),
        "body": message.body,
    }
    if message.kind == handovers.KIND:
        given["content"] = handovers.content_of(run.conn, message.number, run.at())
    elif message.kind == disputes.KIND:
        given["content"] = disputes.content_of(run.conn, message.number)
    if "content" in given and given["content"] is None:
        return None
    return json.dumps(given, ensure_ascii=False).encode()


def _token(agency: str, body: bytes) -> str:
    try:
        token = json.loads(body)["acknowledgement"]
    except (ValueError, KeyError, TypeError):
        token = None
    if not isinstance(token, str):
        raise SourceError(f"{agency} took a message and acknowledged nothing. It is told again.")
    return token
