"""The process of the HTTP agencies: the REST holders, 대법원 (court XML), the inboxes of all agencies and an identity
provider, a port each.

    python -m sources.simulate.server --home var

Writes one line of JSON, {"mohw": port, …, "scourt": port, "inbox": port, "identity": port}, when it answers, and ends
when its standard input closes: so it never outlives whoever started it.
"""

import argparse
import json
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from sources.simulate import court, identity, identity_server, inbox, rest
from sources.simulate.agency import Agency, Respond, serve_agency
from sources.simulate.pages import Switches
from sources.simulate.shelf import Shelf

CLIENT_ID = "hanbeon"
REST_HOLDERS = tuple(sorted({d.holder for d in rest.DOCUMENTS.values()}))
COURT = "scourt"
HOLDERS = (*REST_HOLDERS, COURT, inbox.NAME)


def secret_file(home: Path, holder: str) -> Path:
    return home / "keys" / f"agency-{holder}.secret"


def agencies(home: Path, token_seconds: float, requests_per_second: float) -> list[Agency]:
    shelf = Shelf(home)

    def records(document: rest.Document, body: bytes, switches: Switches) -> bytes:
        return rest.respond(document, shelf.get(document.register), body, switches)

    def certificates(document: court.Document, body: bytes, switches: Switches) -> bytes:
        return court.respond(document, shelf.get(document.register), body, switches)

    def agency(holder: str, media_type: str, paths: dict[str, Respond], count: Callable[[bytes], int] | None) -> Agency:
        secret = secret_file(home, holder).read_text(encoding="ascii").strip()
        return Agency(holder, home, CLIENT_ID, secret, media_type, paths, token_seconds, requests_per_second, count)

    by_rest = {
        holder: {path: partial(records, d) for path, d in rest.DOCUMENTS.items() if d.holder == holder}
        for holder in REST_HOLDERS
    }
    by_court: dict[str, Respond] = {path: partial(certificates, d) for path, d in court.DOCUMENTS.items()}
    return [
        *(agency(holder, "application/json", dict(paths), rest.records) for holder, paths in by_rest.items()),
        agency(COURT, "application/xml", by_court, court.records),
        agency(inbox.NAME, "application/json", inbox.paths(home), None),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--token-seconds", type=float, default=600)
    parser.add_argument("--requests-per-second", type=float, default=200)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and the closed pipe ends this
    ports = {}
    for agency in agencies(given.home, given.token_seconds, given.requests_per_second):
        ports[agency.holder] = serve_agency(agency, given.bind, 0).server_address[1]
    ports[identity.NAME] = identity_server.serve_identity(given.home, given.bind, 0).server_address[1]
    print(json.dumps(ports), flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
