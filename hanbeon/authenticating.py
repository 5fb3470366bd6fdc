"""How a citizen's signature comes to a grant or a change: from a file, or from the simulated world's identity provider.

In: an open `Run` and what is to be signed. Out: grants with evidence, or the evidence of a change. Production gives
tokens in files, made by a real provider over the notice's hash. In the simulated world the provider of `hanbeon world
serve` is asked over HTTP; the demonstration, which signs thousands, asks the same code without the network.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from consent import evidence, vault
from consent.model import Event, Grant, Kind, Sealed
from hanbeon.errors import DependencyDown, SettingsError, UsageError
from schemas import notices
from sources import endpoints

if TYPE_CHECKING:
    from pipeline.run import Run

LARGEST_TOKEN_FILE = 64 * 1024 * 1024
SECONDS = 10.0


def simulated(run: "Run", grants: Sequence[Grant], at: datetime) -> list[Grant]:
    """Grants with evidence of the simulated world's own provider, in one go."""
    from sources.simulate import identity

    home = run.settings.home_path
    identity.introduce(home)
    provider, numbers = identity.provider(home, run.settings.log.origin), _numbers(run, [g.grantor_key for g in grants])
    pairs = [
        (g, None if g.kind is Kind.STATUTE else provider.authenticate(numbers[g.grantor_key], _nonce(g), at))
        for g in grants
    ]
    return evidence.attach(run.conn, run.secrets, run.trust, pairs, at)


def proven(run: "Run", grants: Sequence[Grant], token_file: Path | None) -> list[Grant]:
    """Grants with the tokens of a file, one a line in the order of the grants, or asked of the simulated provider."""
    needing = [g for g in grants if g.kind is not Kind.STATUTE]
    if not needing:
        return list(grants)
    tokens = _tokens(token_file) if token_file else _asked(run, [(g.grantor_key, _nonce(g)) for g in needing])
    if len(tokens) != len(needing):
        raise UsageError(f"There are {len(tokens)} tokens for {len(needing)} grants. Give one a line, in order.")
    left = iter(tokens)
    pairs = [(g, None if g.kind is Kind.STATUTE else next(left)) for g in grants]
    return evidence.attach(run.conn, run.secrets, run.trust, pairs, run.at())


def change(
    run: "Run",
    authorisation_id: str,
    event: Event,
    token_file: Path | None,
    is_needed: bool,
    by: int | None = None,
    **ends: datetime,
) -> Sealed | None:
    """Evidence that the citizen changes her authorisation; None where it is not needed and no token is given.

    `by` is the key of who does it, where that is not who granted.
    """
    row = run.conn.execute(
        "select kind, grantor_key from authorisations where authorisation_id = %s limit 1", [authorisation_id]
    ).fetchone()
    if row is None or row[0] == Kind.STATUTE or (token_file is None and not is_needed):
        return None
    nonce = notices.act_notice(event, authorisation_id, ends).digest
    tokens = _tokens(token_file) if token_file else _asked(run, [(by or row[1], nonce)])
    if len(tokens) != 1:
        raise UsageError("A change takes one token. Give a file with one line.")
    return evidence.for_change(
        run.conn, run.secrets, run.trust, authorisation_id, event, tokens[0], run.at(), by, **ends
    )


def _nonce(grant: Grant) -> str:
    return evidence.notice_of(grant).digest


def _numbers(run: "Run", keys: Sequence[int | None]) -> dict[int | None, str]:
    found = vault.reveal(run.conn, run.secrets, evidence.PERSON, [k for k in keys if k is not None]).to_pylist()
    return {r["_subject_key"]: r["identifier"] for r in found}


def _tokens(path: Path) -> list[str]:
    try:
        with path.open(encoding="ascii") as file:
            return [line.strip() for line in file.read(LARGEST_TOKEN_FILE).splitlines() if line.strip()]
    except (OSError, UnicodeError) as error:
        raise UsageError("The file of tokens cannot be read. Give compact JWS, one a line.") from error


def _asked(run: "Run", wanted: Sequence[tuple[int | None, str]]) -> list[str]:
    """Tokens of the simulated provider, which must be up."""
    try:
        given = endpoints.read(run.settings.agencies_path / endpoints.FILE_NAME).identity
    except DependencyDown:
        given = {}
    url = next((u for issuer, u in given.items() if issuer in run.trust.identity_providers), None) if given else None
    if url is None:
        raise DependencyDown(
            "No identity provider of a simulated world is up, so the citizen cannot authenticate here. Give the tokens"
            " in --token-file (`hanbeon consent notice` prints the hash to sign), or run `hanbeon world serve`."
        )
    numbers = _numbers(run, [key for key, _ in wanted])
    unknown = [key for key, _ in wanted if key not in numbers]
    if unknown:
        raise UsageError("Who consents is not known as a person. Give the token of who acts in --token-file.")
    return [_ask(run, url, numbers[key], nonce) for key, nonce in wanted]


def _ask(run: "Run", url: str, number: str, nonce: str) -> str:
    if urlsplit(url).hostname not in run.settings.sources.allowed_hosts:
        raise SettingsError(
            "The identity provider's host is not among sources.allowed_hosts. Add it, or correct the file."
        )
    asked = {"identifier": number, "nonce": nonce, "audience": run.settings.log.origin}
    body = json.dumps(asked).encode()
    request = urllib.request.Request(f"{url}/authenticate", body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - our own world's server
            return str(json.load(answer)["token"])
    except (OSError, ValueError, KeyError) as error:
        raise DependencyDown("The simulated identity provider did not answer with a token. Is its world up?") from error
