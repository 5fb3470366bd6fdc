"""The process of the HTTP agencies: 보건복지부 (REST), 대법원 (court XML), the inboxes of all agencies and an identity
provider, a port each.

    python -m sources.simulate.server --home var

Writes one line of JSON, {"mohw": port, "scourt": port, "inbox": port, "identity": port}, when it answers, and ends when
its standard input closes: so it never outlives whoever started it.
"""

import argparse
import json
import signal
import sys
from functools import partial
from pathlib import Path

from sources.simulate import court, identity, identity_server, inbox, rest
from sources.simulate.agency import Agency, Respond, serve_agency
from sources.simulate.pages import Switches
from sources.simulate.shelf import Shelf

CLIENT_ID = "hanbeon"
HOLDERS = ("mohw", "scourt", inbox.NAME)


def secret_file(home: Path, holder: str) -> Path:
    return home / "keys" / f"agency-{holder}.secret"


def agencies(home: Path, token_seconds: float, requests_per_second: float) -> list[Agency]:
    shelf = Shelf(home, [rest.REGISTER, *(d.register for d in court.DOCUMENTS.values())])
    for name in (rest.REGISTER, *(d.register for d in court.DOCUMENTS.values())):
        shelf.get(name)

    def disability(body: bytes, switches: Switches) -> bytes:
        return rest.respond(shelf.get(rest.REGISTER), body, switches)

    def certificates(document: court.Document, body: bytes, switches: Switches) -> bytes:
        return court.respond(document, shelf.get(document.register), body, switches)

    paths: dict[str, dict[str, Respond]] = {
        "mohw": {rest.PATH: disability},
        "scourt": {path: partial(certificates, document) for path, document in court.DOCUMENTS.items()},
        inbox.NAME: inbox.paths(home),
    }
    types = {"mohw": "application/json", "scourt": "application/xml", inbox.NAME: "application/json"}
    records = {"mohw": rest.records, "scourt": court.records}
    return [
        Agency(
            holder,
            home,
            CLIENT_ID,
            secret_file(home, holder).read_text(encoding="ascii").strip(),
            types[holder],
            paths[holder],
            token_seconds,
            requests_per_second,
            records.get(holder),
        )
        for holder in HOLDERS
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--bind", default="127.0.0.1")
    parser.add_argument("--ports", default="0,0,0,0", help="ports of mohw, scourt, inbox and identity, 0 for any")
    parser.add_argument("--token-seconds", type=float, default=600)
    parser.add_argument("--requests-per-second", type=float, default=200)
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, and the closed pipe ends this
    ports = {}
    wanted = [int(p) for p in given.ports.split(",")]
    found = agencies(given.home, given.token_seconds, given.requests_per_second)
    for agency, port in zip(found, wanted[:-1], strict=True):
        ports[agency.holder] = serve_agency(agency, given.bind, port).server_address[1]
    ports[identity.NAME] = identity_server.serve_identity(given.home, given.bind, wanted[-1]).server_address[1]
    print(json.dumps(ports), flush=True)
    sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
