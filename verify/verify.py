#!/usr/bin/env python3
"""Check what Hanbeon shows, without Hanbeon: one file, Python 3.9 or newer, nothing else.

    python verify.py FOLDER [--trust trust.json] [--since OLD_CHECKPOINT] [--json]

FOLDER is a disclosure pack (it has `pack.json`), or the folder of a lake (it has `log/checkpoint`). Exit code 0 says OK
and what was checked; 1 names each finding on a line of its own; 2 is wrong usage. `--trust` is your own copy of the
public keys: without it the folder's own are used, and the answer says so. `--since` is a checkpoint that you kept: the
log must have grown from it. Formats: RFC 6962, C2SP tlog-tiles and signed notes, RFC 8032, RFC 7515, RFC 8785.

It is one file so that an auditor can read all of it, and carry it. It shares no code with what it checks.
"""

import argparse
import base64
import hashlib
import json
import re
import sys
from pathlib import Path
from urllib.parse import unquote

# ----------------------------------------------------------------------------------------------------------------------
# Findings. Whatever is wrong with a file is a finding that names it; none shows a value of a person.
# ----------------------------------------------------------------------------------------------------------------------


class Bad(Exception):
    """Something is not as it must be; the sentence says what."""


def need(condition, sentence):
    if not condition:
        raise Bad(sentence)


class Report:
    """What was found wrong, and how much was checked."""

    def __init__(self):
        self.findings = []
        self.counts = {}
        self.remarks = []

    def found(self, where, what):
        self.findings.append(f"{where}: {what}")

    def did(self, what, count=1):
        self.counts[what] = self.counts.get(what, 0) + count

    def check(self, where, doing, *arguments):
        """Run one check; anything that it stumbles over is a finding. Its result, or None."""
        try:
            return doing(*arguments)
        except Bad as bad:
            self.found(where, str(bad))
        except FileNotFoundError:
            self.found(where, "the file is missing")
        except (OSError, UnicodeError) as error:
            self.found(where, f"the file cannot be read ({type(error).__name__})")
        except (KeyError, ValueError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
            self.found(where, f"the file is malformed ({type(error).__name__})")
        return None


# ----------------------------------------------------------------------------------------------------------------------
# Bytes and JSON. RFC 8785: members in order, no white space, no floating-point numbers here.
# ----------------------------------------------------------------------------------------------------------------------


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def canonical(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("utf-8")


def _members(pairs):
    found = dict(pairs)
    need(len(found) == len(pairs), "a JSON object has one member twice")
    return found


def _no_float(_text):
    raise Bad("a JSON number is not whole")


def parse(data):
    """JSON as the formats use it: no member twice, whole numbers only."""
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    return json.loads(text, object_pairs_hook=_members, parse_float=_no_float, parse_constant=_no_float)


def unhex(text, size=None):
    need(isinstance(text, str) and re.fullmatch(r"(?:[0-9a-f]{2})*", text), "a text is not lower-case hexadecimal")
    found = bytes.fromhex(text)
    need(size is None or len(found) == size, f"a hash is not {size} bytes")
    return found


def unbase64(text, is_url=False):
    """Base64 in its one spelling: what encodes to something else is refused."""
    need(isinstance(text, str), "a base64 text is missing")
    padded = text + "=" * (-len(text) % 4) if is_url else text
    found = base64.b64decode(padded, altchars=b"-_" if is_url else None, validate=True)
    again = base64.urlsafe_b64encode(found).decode().rstrip("=") if is_url else base64.b64encode(found).decode()
    need(again == text, "a base64 text is not spelled as it should be")
    return found


def whole(value):
    need(isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63, "a number is not a size")
    return value


def micros(text):
    """An instant `2026-06-01T00:30:00.000000Z` as a text that orders; anything else is refused."""
    pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    need(isinstance(text, str) and re.fullmatch(pattern, text), "an instant is not spelled as it should be")
    return text


# ----------------------------------------------------------------------------------------------------------------------
# Ed25519 (RFC 8032), verification alone. Extended coordinates; no encoding but the one of the standard is accepted.
# ----------------------------------------------------------------------------------------------------------------------

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def _add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    left, right = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    cross, twice = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = right - left, twice - cross, twice + cross, right + left
    return e * f % P, g * h % P, f * g % P, e * h % P


def _multiply(point, scalar):
    found = IDENTITY
    while scalar:
        if scalar & 1:
            found = _add(found, point)
        point, scalar = _add(point, point), scalar >> 1
    return found


def _same(a, b):
    return (a[0] * b[2] - b[0] * a[2]) % P == 0 and (a[1] * b[2] - b[1] * a[2]) % P == 0


def _point(encoded):
    """The point of a canonical encoding, or None."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


_BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = _point(_BASE_Y.to_bytes(32, "little"))


def ed25519(public, message, signature):
    """Whether this key signed this message. Points of small order are no keys and sign nothing."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment, scalar = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or scalar >= L or _same(_multiply(key, 8), IDENTITY):
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return _same(_multiply(BASE, scalar), _add(commitment, _multiply(key, challenge)))


# ----------------------------------------------------------------------------------------------------------------------
# Merkle trees (RFC 6962, section 2.1)
# ----------------------------------------------------------------------------------------------------------------------

EMPTY = hashlib.sha256(b"").digest()


def leaf_hash(data):
    return sha256(b"\x00", data)


def node_hash(left, right):
    return sha256(b"\x01", left, right)


def root_of_path(leaf, index, size, path):
    """The root that a leaf and its path lead to; no hash may be missing or left over."""
    need(index < size, f"index {index} is not in a tree of {size}")
    at, last, found = index, size - 1, leaf
    for other in path:
        need(last > 0, "the path has hashes left over")
        if at & 1 or at == last:
            found = node_hash(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, other)
        at, last = at >> 1, last >> 1
    need(last == 0, "the path is too short")
    return found


class Growing:
    """A tree that leaves are added to; keeps the roots of its complete subtrees alone."""

    def __init__(self):
        self.size = 0
        self.stack = []

    def add(self, leaf):
        self.size += 1
        self.stack.append(leaf)
        count = self.size
        while not count & 1:
            right = self.stack.pop()
            self.stack.append(node_hash(self.stack.pop(), right))
            count >>= 1

    def root(self):
        found = None
        for one in reversed(self.stack):
            found = one if found is None else node_hash(one, found)
        return EMPTY if found is None else found


def root_of_range(entries, start, stop, size, left, right):
    """The root of a tree of which the leaves start to stop are known, and the subtrees beside them given in order."""
    left, right = list(left), list(right)

    def subtree(first, end):
        if end <= start:
            need(left, "a hash left of the range is missing")
            return left.pop(0)
        if first >= stop:
            need(right, "a hash right of the range is missing")
            return right.pop(0)
        if end - first == 1:
            return leaf_hash(entries[first - start])
        half = 1 << ((end - first - 1).bit_length() - 1)
        low = subtree(first, first + half)
        return node_hash(low, subtree(first + half, end))

    need(0 <= start < stop <= size and len(entries) == stop - start, "the range and its entries do not fit")
    found = subtree(0, size)
    need(not left and not right, "hashes beside the range are left over")
    return found


# ----------------------------------------------------------------------------------------------------------------------
# Keys, signed notes (C2SP), JWS (RFC 7515 with Ed25519)
# ----------------------------------------------------------------------------------------------------------------------

OPERATOR, WITNESS = 0x01, 0x04


def vkey(text, algorithm):
    """Name, key id and public key of a note's verifier key."""
    need(isinstance(text, str) and text.count("+") >= 2, "a key is not a note's verifier key")
    name, key_id, encoded = text.split("+", 2)
    key = unbase64(encoded)
    need(len(key) == 33 and key[0] == algorithm, "a key is not of the algorithm that it must be")
    need(sha256(name.encode(), b"\n", key)[:4].hex() == key_id, "a key's id is not that of the key")
    return name, bytes.fromhex(key_id), key[1:]


class Trust:
    """The public keys that count."""

    def __init__(self, data):
        given = parse(data)
        self.origin = given["origin"]
        self.operator, self.witness = vkey(given["operator"], OPERATOR), vkey(given["witness"], WITNESS)
        need(self.operator[0] == self.origin, "the operator's key is not of this origin")
        self.documents = given["documents"]
        self.identity_providers, self.agencies = given["identity_providers"], given["agencies"]
        self.partners = given.get("partners", {})  # without them nobody's answer or delivery is believed

    def same(self, other):
        return vars(self) == vars(other)


class Checkpoint:
    """A signed note: origin, size, root."""

    def __init__(self, text):
        self.text = text
        body, separator, signatures = text.partition("\n\n")
        need(separator and signatures.endswith("\n"), "the checkpoint is cut off or not a signed note")
        lines = body.split("\n")
        need(len(lines) == 3 and re.fullmatch(r"0|[1-9]\d{0,18}", lines[1]), "the checkpoint is not three lines")
        self.note, self.origin, self.size, self.root = body + "\n", lines[0], int(lines[1]), unbase64(lines[2])
        need(len(self.root) == 32, "the checkpoint's root is not 32 bytes")
        self.signatures = []
        for line in signatures[:-1].split("\n"):
            parts = line.split(" ")
            need(len(parts) == 3 and parts[0] == "\u2014", "a signature line of the checkpoint is malformed")
            self.signatures.append((parts[1], unbase64(parts[2])))

    def verify(self, trust):
        """Raises Bad unless the operator signed it and the witness cosigned it."""
        need(self.origin == trust.origin, "the checkpoint is of another origin")
        name, key_id, key = trust.operator
        mine = [s for n, s in self.signatures if n == name and s[:4] == key_id]
        good = [s for s in mine if ed25519(key, self.note.encode(), s[4:])]
        need(mine and len(good) == len(mine), "the operator's signature of the checkpoint is missing or wrong")
        name, key_id, key = trust.witness
        mine = [s for n, s in self.signatures if n == name and s[:4] == key_id]
        good = [s for s in mine if len(s) == 76 and ed25519(key, self._cosigned(s), s[12:])]
        need(mine and len(good) == len(mine), "the witness's signature of the checkpoint is missing or wrong")
        return self

    def _cosigned(self, signature):
        instant = int.from_bytes(signature[4:12], "big")
        return f"cosignature/v1\ntime {instant}\n{self.note}".encode()


def read_checkpoint(data, trust):
    return Checkpoint(data.decode("utf-8")).verify(trust)


def claims_of(token, keys, typ):
    """The payload of a compact JWS that one of these keys signed, as bytes. `typ` None accepts any."""
    need(isinstance(token, str) and token.count(".") == 2, "a token is not a compact JWS")
    head, payload, signature = token.split(".")
    header = parse(unbase64(head, is_url=True))
    need(header.get("alg") == "Ed25519" and "crit" not in header, "a token is not signed with Ed25519")
    need(typ is None or header.get("typ") == typ, f"a token is not a {typ}")
    signed, value = f"{head}.{payload}".encode(), unbase64(signature, is_url=True)
    for key in keys["keys"]:
        is_key = key.get("kty") == "OKP" and key.get("crv") == "Ed25519"
        if is_key and ed25519(unbase64(key["x"], is_url=True), signed, value):
            return unbase64(payload, is_url=True)
    raise Bad("a token is signed by none of the trusted keys")


# ----------------------------------------------------------------------------------------------------------------------
# Entries of the log, and what they commit to
# ----------------------------------------------------------------------------------------------------------------------

EVENT, COMMIT, ACCESS, CERTIFICATE, DELIVERY, ACKNOWLEDGEMENT = 1, 2, 3, 4, 6, 7
EVENT_MEMBERS = ("authorisation_id", "instant", "kind", "payload", "position", "subject")


class Entry:
    """The 50 bytes of an entry."""

    def __init__(self, data):
        need(len(data) == 50 and data[0] == 1, "an entry is not 50 bytes of version 1")
        self.data, self.kind, self.number = data, data[1], int.from_bytes(data[2:10], "big")
        self.stream, self.digest = data[10:18], data[18:]
        need(1 <= self.kind <= 7, "an entry is of no known kind")


def stream_of(name):
    return sha256(name.encode())[:8]


def scope_commitment(salt, scope):
    return sha256(salt, canonical(scope)).hex()


def event_digest(salt, members, hidden):
    """The digest of an event whose scopes are `hidden` behind commitments of their own; None: it has no scopes."""
    if hidden is not None:
        members = {**members, "payload": {**members["payload"], "scopes": hidden}}
    return sha256(salt, canonical({name: members[name] for name in EVENT_MEMBERS}))


def whole_event_digest(salt, members):
    """The same of an event that is shown whole, with the salt from which all of its salts derive."""
    scopes = scopes_in(members["payload"])
    hidden = None
    if scopes is not None:
        salts = [sha256(salt, b"\x01", number.to_bytes(4, "big")) for number in range(len(scopes))]
        hidden = [scope_commitment(own, scope) for own, scope in zip(salts, scopes, strict=True)]
    return event_digest(sha256(salt, b"\x00"), members, hidden)


def scopes_in(payload):
    scopes = payload.get("scopes") if isinstance(payload, dict) else None
    return scopes if isinstance(scopes, list) else None


def shown_event_digest(body):
    """The same of an event in a pack or receipt, where each scope is opened, or only its commitment is there."""
    scopes, hidden = scopes_in(body["payload"]), None
    if scopes is not None:
        hidden = []
        for one in scopes:
            need(set(one) in ({"commitment"}, {"scope", "salt"}), "a scope is neither opened nor hidden")
            own = unhex(one["commitment"], 32).hex() if "commitment" in one else None
            hidden.append(own or scope_commitment(unhex(one["salt"], 32), one["scope"]))
    return event_digest(unhex(body["salt"], 32), body, hidden)


def digest_of(entry, body):
    """What the entry's digest must be for this body; the body's number must be the entry's too."""
    if entry.kind == EVENT:
        need(body["position"] == entry.number, "an event is of another position than its entry")
        return shown_event_digest(body)
    if entry.kind == ACCESS:
        need(body["access_id"] == str(entry.number), "an access record has another id than its entry")
        record = {name: value for name, value in body.items() if name not in ("salt", "leaf_hash")}
        return sha256(unhex(body["salt"], 32), canonical(record))
    number = body["sequence"] if entry.kind == COMMIT else body["number"]
    need(number == entry.number, "a body has another number than its entry")
    named = {COMMIT: "table", DELIVERY: "dataset"}.get(entry.kind)
    stream = bytes(8) if named is None else stream_of(body[named])
    need(stream == entry.stream, "a body is of another table or dataset than its entry")
    return sha256(canonical(body))


def check_entry(entry, body):
    need(digest_of(entry, body) == entry.digest, "the body is not what the log's entry commits to")
    return body


# ----------------------------------------------------------------------------------------------------------------------
# Disclosure packs
# ----------------------------------------------------------------------------------------------------------------------

PACK_TYP, RECEIPT_TYP, CERTIFICATE_TYP = "disclosure-pack+jwt", "consent-receipt+jwt", "erasure-certificate+jwt"
CLOSING = ("withdrawn", "expired", "consumed", "paused")


class Pack:
    """A disclosure pack: its files, hashed; its keys; its newest checkpoint; its entries by index."""

    def __init__(self, folder, trust, report):
        self.folder, self.report, self.trust, self.checkpoint = folder, report, trust, None
        listing = (folder / "pack.json").read_bytes()
        self.about = parse(listing)
        need(self.about["format"] == "hanbeon-pack/1", "the pack is of no known format")
        self.files = self._hashed()
        self.entries = {}
        own = report.check("trust.json", lambda: Trust((folder / "trust.json").read_bytes()))
        if own is None:
            return
        if trust is not None and not trust.same(own):
            report.found("trust.json", "the pack's keys are not the keys that you trust")
        self.trust = trust or own
        report.check("pack.json", self._signed, listing)
        self.checkpoint = report.check(
            "checkpoint", lambda: read_checkpoint((folder / "checkpoint").read_bytes(), self.trust)
        )

    def _signed(self, listing):
        token = (self.folder / "pack.jws").read_bytes().decode("ascii")
        need(token.endswith("\n"), "pack.jws is cut off")
        signed = claims_of(token[:-1], self.trust.documents, PACK_TYP)
        need(signed == listing, "it is not what the operator signed in pack.jws")

    def _hashed(self):
        """Every file is listed with its hash, and every listed file is there."""
        listed = self.about["files"]
        present = {p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*") if p.is_file()}
        for name in sorted(present - set(listed) - {"pack.json", "pack.jws"}):
            self.report.found(name, "the file is not listed in pack.json")
        good = []
        for name, digest in sorted(listed.items()):
            need(not name.startswith("/") and ".." not in name.split("/"), "pack.json names a file outside of the pack")
            path = self.folder / name
            if not path.is_file():
                self.report.found(name, "the file is missing")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                self.report.found(name, "the file is not the one that pack.json lists")
            else:
                good.append(name)
        return good

    def under(self, folder):
        return [name for name in self.files if name.startswith(folder + "/")]

    def read(self, name):
        return (self.folder / name).read_bytes()

    def events(self, authorisation_id):
        """The authorisation's events in the pack, in ledger order."""
        found = [
            body
            for entry, body in self.entries.values()
            if entry.kind == EVENT and body["authorisation_id"] == authorisation_id
        ]
        return sorted(found, key=lambda body: body["position"])

    def grants(self):
        """The grant of every authorisation in the pack."""
        found = [body for entry, body in self.entries.values() if entry.kind == EVENT and body["kind"] == "granted"]
        return [body for body in found if body["payload"]]

    def granted(self, authorisation_id):
        grants = [e for e in self.events(authorisation_id) if e["kind"] == "granted"]
        need(len(grants) == 1 and grants[0]["payload"], "the pack does not hold the grant of the authorisation")
        return grants[0]


def check_pack(folder, trust, report):
    pack = report.check("pack.json", Pack, folder, trust, report)
    if pack is None or pack.checkpoint is None:
        return
    kinds = (
        ("entries", check_pack_entry, "log entries"),
        ("rows", check_row, "rows"),
        ("evidence", check_evidence, "evidences of consent"),
        ("receipts", check_receipt, "receipts"),
        ("certificates", check_certificate_token, "erasure certificates"),
        ("absences", check_absence, "proofs of absence"),
    )
    for name, checking, what in kinds:
        for file in pack.under(name):
            if report.check(file, checking, pack, file) is not None:
                report.did(what)
    report.remarks += [str(line) for line in pack.about.get("does_not_prove", [])]


def check_pack_entry(pack, name):
    given = parse(pack.read(name))
    index, entry = whole(given["index"]), Entry(unhex(given["entry"], 50))
    need(name == f"entries/{index}.json", "the entry is of another index than its file")
    need(whole(given["size"]) == pack.checkpoint.size, "the entry is proved for another size than the checkpoint's")
    path = [unhex(one, 32) for one in given["path"]]
    root = root_of_path(leaf_hash(entry.data), index, given["size"], path)
    need(root == pack.checkpoint.root, "the entry does not lead to the checkpoint's root")
    pack.entries[index] = (entry, check_entry(entry, given["body"]))
    return index


def netstring(text):
    return b"-," if text is None else b"%d:%s," % (len(text.encode()), text.encode())


def commitment(part):
    columns = part["columns"]
    text = b"".join(netstring(name) + netstring(columns[name]) for name in sorted(columns))
    return sha256(unhex(part["salt"], 32), text)


def check_row(pack, name):
    row = parse(pack.read(name))
    need(row["commit"] in pack.entries, "the commit of the row is not in the pack")
    entry, body = pack.entries[row["commit"]]
    need(entry.kind == COMMIT, "the row names an entry that is no commit")
    need((row["table"], row["version"]) == (body["table"], body["version"]), "the row is of another commit")
    files = [f for f in body["files"] if f["path"] == row["file"]]
    need(len(files) == 1 and files[0]["row_root"], "the commit does not name the row's file")
    need(whole(row["file_rows"]) == files[0]["rows"], "the row's file has another number of rows")
    content = row["content"]
    is_shown = "columns" in content
    pipeline = commitment(row["pipeline"])
    leaf = sha256(b"\x00", pipeline, commitment(content) if is_shown else unhex(content["commitment"], 32))
    path = [unhex(one, 32) for one in row["row_path"]]
    root = root_of_path(leaf, whole(row["row"]), row["file_rows"], path)
    need(root == unhex(files[0]["row_root"], 32), "the row does not lead to the root that its commit names")
    renamed = row.get("consented_as", {})
    for column, paths in sorted(renamed.items()):
        pack.report.remarks.append(f"{name}: {column} is shown under consent to {' and '.join(paths)}, the pack says.")
    check_lawful(pack, row["pipeline"]["columns"], content["columns"] if is_shown else {}, body, renamed)
    return name


def check_lawful(pack, pipeline, content, body, renamed):
    """The row's authorisation stood when the row was committed; those in the pack that stood cover what is shown."""
    key, position = pipeline["_authorisation_id"], body["ledger_position"]
    grant = pack.granted(key)
    need(grant["position"] <= position, "the row was committed before its authorisation was granted")
    closed = closed_by(pack, key, position)
    need(not closed, f"the authorisation was {closed} when the row was committed")
    recipient = body["table"].split("/")[1] if body["table"].startswith("shares/") else None
    need(recipient in (None, grant["payload"]["recipient"]), "the authorisation names another recipient")
    subject = pipeline.get("_subject_key")
    need(opened_scopes(grant, subject), "the authorisation is about somebody else than the row")
    allowed = set()
    for one in pack.grants():
        stood = one["position"] <= position and not closed_by(pack, one["authorisation_id"], position)
        if stood and recipient in (None, one["payload"]["recipient"]):
            for scope in opened_scopes(one, subject):
                allowed |= {column.rpartition(".")[2] for column in scope["columns"]}
    shown = [n for n, value in content.items() if value is not None]
    outside = [n for n in shown if not allowed.issuperset(path.rpartition(".")[2] for path in renamed.get(n, [n]))]
    is_official = all(name.upper() == name for name in content)  # bronze has the holder's own names
    need(not (outside and is_official), "the row shows a column that no authorisation in the pack names")


def closed_by(pack, key, position):
    """The event by which an authorisation stood closed at a ledger position; empty while it was open."""
    closed = ""
    for event in pack.events(key):
        if event["position"] <= position:
            closed = event["kind"] if event["kind"] in CLOSING else "" if event["kind"] == "resumed" else closed
    return closed


def opened_scopes(grant, subject):
    """The scopes of a grant that the pack opens, about this subject; a share's row names none, and none is left out."""
    opened = [one["scope"] for one in grant["payload"]["scopes"] if "scope" in one]
    return [scope for scope in opened if subject in (None, scope["subject_key"])]


def check_evidence(pack, name):
    data = pack.read(name)
    evidence = parse(data)
    key = name.partition("/")[2].rpartition(".")[0]
    grant = pack.granted(key)
    payload = grant["payload"]
    digest = hashlib.sha256(canonical(evidence)).hexdigest()
    need(digest == payload["evidence_digest"], "the evidence is not the one that the grant names")
    kind = evidence["kind"]
    if kind == "authentication":
        issuer = parse(unbase64(evidence["token"].split(".")[1], is_url=True))["iss"]
        need(issuer in pack.trust.identity_providers, "the evidence is of an identity provider that is not trusted")
        claims = parse(claims_of(evidence["token"], pack.trust.identity_providers[issuer], None))
        need(claims["aud"] == pack.trust.origin, "the authentication was made for another system")
        need(claims["nonce"] == evidence["notice"]["hash"], "the authentication was made over another notice")
        need(payload["notice_hash"] == claims["nonce"], "the grant names another notice than the citizen signed")
        need(claims["iat"] <= claims["exp"], "the authentication ended before it began")
    elif kind == "import":
        issuer = parse(unbase64(evidence["manifest"].split(".")[1], is_url=True))["iss"]
        need(issuer in pack.trust.agencies, "the manifest is of an agency that is not trusted")
        claims = parse(claims_of(evidence["manifest"], pack.trust.agencies[issuer], None))
        path = [unhex(one, 32) for one in evidence["path"]]
        leaf = leaf_hash(canonical(evidence["row"]))
        root = root_of_path(leaf, whole(evidence["index"]), whole(claims["rows"]), path)
        need(root == unhex(claims["root"], 32), "the imported row is not in the agency's signed manifest")
    else:
        need(kind == "statute" and payload["kind"] == "statute", "the evidence is of no known kind")
    return name


def check_receipt(pack, name):
    token = pack.read(name).decode("ascii")
    need(token.endswith("\n"), "the receipt is cut off")
    claims = parse(claims_of(token[:-1], pack.trust.documents, RECEIPT_TYP))
    log, event = claims["log"], claims["event"]
    checkpoint = read_checkpoint(log["checkpoint"].encode(), pack.trust)
    entry = Entry(unhex(log["entry"], 50))
    need(entry.kind == EVENT and log["origin"] == pack.trust.origin, "the receipt is about no event of this log")
    check_entry(entry, event)
    need(whole(log["size"]) == checkpoint.size, "the receipt's proof is for another size than its checkpoint's")
    path = [unhex(one, 32) for one in log["path"]]
    root = root_of_path(leaf_hash(entry.data), whole(log["index"]), log["size"], path)
    need(root == checkpoint.root, "the receipt's event does not lead to its checkpoint's root")
    return name


def check_certificate_token(pack, name):
    """A certificate's signature; what it says is an entry of the log, checked as such."""
    token = pack.read(name).decode("ascii")
    need(token.endswith("\n"), "the certificate is cut off")
    signed = claims_of(token[:-1], pack.trust.documents, CERTIFICATE_TYP)
    bodies = [canonical(body) for entry, body in pack.entries.values() if entry.kind == CERTIFICATE]
    need(signed in bodies, "the certificate is not the one in the log")
    return name


def check_absence(pack, name):
    """Every commit of the table between two sizes is there, and in none of them the owner."""
    given = parse(pack.read(name))
    start, stop = whole(given["from"]), whole(given["to"])
    entries = [unhex(one, 50) for one in given["entries"]]
    sides = [[unhex(one, 32) for one in given[side]] for side in ("left", "right")]
    root = root_of_range(entries, start, stop, pack.checkpoint.size, *sides)
    need(root == pack.checkpoint.root, "the entries do not lead to the checkpoint's root")
    blinded = sha256(unhex(given["blinding_key"], 32), unhex(given["owner"]))
    stream, bucket = stream_of(given["table"]), str(whole(given["bucket"]))
    for index, data in enumerate(entries, start):
        entry = Entry(data)
        if entry.kind == COMMIT and entry.stream == stream:
            body = check_entry(entry, given["bodies"][str(index)])
            told = body["subject_roots"].get(bucket, {"count": 0, "root": EMPTY.hex()})
            check_neighbours(given["neighbours"][str(index)], told, blinded)
    return name


def check_neighbours(neighbours, told, blinded):
    """Two adjacent owners around the place where the absent one would stand; one at an end; none in no rows."""
    count, root, places = whole(told["count"]), unhex(told["root"], 32), {}
    for one in neighbours:
        own = unhex(one["blinded"], 32)
        path = [unhex(step, 32) for step in one["path"]]
        need(root_of_path(leaf_hash(own), whole(one["at"]), count, path) == root, "a neighbour is not in the bucket")
        need(own != blinded, "the person is there")
        places[one["at"]] = own
    below = [at for at, own in places.items() if own < blinded]
    above = [at for at, own in places.items() if own > blinded]
    if count == 0:
        need(not places, "a bucket without rows has neighbours")
        return
    need(len(below) <= 1 and len(above) <= 1 and places, "the neighbours are not two")
    need(below or min(above) == 0, "the neighbour above is not the first")
    need(above or max(below) == count - 1, "the neighbour below is not the last")
    need(not (below and above) or above[0] == below[0] + 1, "the neighbours are not adjacent")


# ----------------------------------------------------------------------------------------------------------------------
# A lake: its whole log, and its commits against files. Parquet is not looked into here.
# ----------------------------------------------------------------------------------------------------------------------

WIDTH = 256
ROOMS = (("bronze", 3), ("gold", 2), ("shares", 3), ("quarantine", 3), ("ledger", 2), ("ops", 2))
COMMIT_FILE = re.compile(r"(\d{20})\.json")


def tile_name(kind, n, width=WIDTH):
    groups = [f"{n % 1000:03d}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03d}")
    return "/".join([kind, *groups]) + ("" if width == WIDTH else f".p/{width}")


def units(log, kind, n, width, unit):
    """The first `width` things of a tile; a partial one may have been taken over by the full one."""
    name = tile_name(kind, n, width)
    if width < WIDTH and not (log / name).exists():
        name = tile_name(kind, n)
    data = (log / name).read_bytes()
    need(len(data) % unit == 0 and len(data) >= width * unit, f"tile {name} is cut off or has trailing bytes")
    need(len(data) == width * unit or not name.endswith(f".p/{width}"), f"tile {name} has trailing nodes")
    return [data[at : at + unit] for at in range(0, width * unit, unit)]


class Log:
    """The log's files of one checkpoint, read once from the first entry to the last."""

    def __init__(self, folder, trust, report, since):
        self.folder, self.trust, self.report = folder, trust, report
        self.checkpoint = read_checkpoint((folder / "checkpoint").read_bytes(), trust)
        self.since = since
        self.kept = []  # (index, entry), in order
        self.bodies = {}  # index -> public body
        self.full = {}  # level -> full tiles read so far
        self.stamped = dict.fromkeys(stamped_sizes(folder))  # size -> root, of the sizes that have a time stamp

    def walk(self):
        size, tree = self.checkpoint.size, Growing()
        levels, before = [[]], None
        for n in range((size + WIDTH - 1) // WIDTH):
            width = min(WIDTH, size - n * WIDTH)
            data = units(self.folder, "tile/entries", n, width, 52)
            for offset, prefixed in enumerate(data):
                need(prefixed[:2] == b"\x00\x32", f"entry {n * WIDTH + offset} has a wrong length")
                entry = Entry(prefixed[2:])
                self.kept.append((n * WIDTH + offset, entry))
                leaf = leaf_hash(entry.data)
                tree.add(leaf)
                levels[0].append(leaf)
                if self.since is not None and tree.size == self.since.size:
                    before = tree.root()
                if tree.size in self.stamped:
                    self.stamped[tree.size] = tree.root()
            self._tiles(levels, width)
        need(tree.root() == self.checkpoint.root, "the entries do not have the root of the checkpoint")
        self._partials(levels)
        for path in sorted(p for p in (self.folder / "tile").rglob("*") if p.is_file()):
            self.report.check(f"log/{path.relative_to(self.folder).as_posix()}", self._older, path)
        if self.since is not None:
            need(self.since.size <= size, "the log is shorter than the checkpoint that you kept")
            before = EMPTY if self.since.size == 0 else before
            need(before == self.since.root, "the log has another history than the checkpoint that you kept")
        self.report.did("log entries", size)

    def _tiles(self, levels, width):
        """Full tiles of every level against what the entries say; a full tile becomes one hash of the next level."""
        level = 0
        while width == WIDTH and level < len(levels) and len(levels[level]) == WIDTH:
            at = self.full.get(level, 0)
            held = units(self.folder, f"tile/{level}", at, WIDTH, 32)
            need(held == levels[level], f"tile {tile_name(f'tile/{level}', at)} is not what the entries say")
            top = Growing()
            for one in levels[level]:
                top.add(one)
            levels[level] = []
            self.report.did("tiles")
            if level + 1 == len(levels):
                levels.append([])
            levels[level + 1].append(top.root())
            self.full[level] = at + 1
            level += 1

    def _partials(self, levels):
        for level, rest in enumerate(levels):
            if rest:
                held = units(self.folder, f"tile/{level}", self.full.get(level, 0), len(rest), 32)
                need(held == rest, f"the partial tile of level {level} is not what the entries say")

    def _older(self, path):
        """A partial tile of an older size is the beginning of the tile that took it over."""
        name = path.relative_to(self.folder).as_posix()
        need(re.fullmatch(r"tile/(entries|\d{1,2})(/x\d{3})*/\d{3}(\.p/\d{1,3})?", name), "the file is no tile")
        if path.parent.suffix == ".p":
            unit = 52 if name.startswith("tile/entries/") else 32
            data, full = path.read_bytes(), path.parent.with_suffix("")
            wider = full if full.exists() else max(path.parent.iterdir(), key=lambda p: int(p.name))
            need(len(data) == int(path.name) * unit, "the tile is cut off or has trailing nodes")
            need(wider.read_bytes().startswith(data), "the tile is not the beginning of the one that took it over")

    def read_bodies(self):
        """Each public body against its entry's digest; none may be missing."""
        wanted = {index: entry for index, entry in self.kept if entry.kind not in (EVENT, ACCESS)}
        for n in sorted({index // WIDTH for index in wanted}):
            name = tile_name("bodies", n)
            self.report.check(f"log/{name}", self._bundle, name, wanted)
        for index in wanted:
            if index not in self.bodies:
                self.report.found(f"log/{tile_name('bodies', index // WIDTH)}", f"the body of entry {index} is missing")
        self.report.did("bodies", len(self.bodies))

    def _bundle(self, name, wanted):
        data = (self.folder / name).read_bytes()
        need(data.endswith(b"\n"), "the file is cut off")
        for line in data[:-1].split(b"\n"):
            given = parse(line)
            need(canonical(given) == line, "a line is not canonical")
            if given["index"] < self.checkpoint.size:
                need(given["index"] in wanted, f"entry {given['index']} has no body in this log")
                self.bodies[given["index"]] = check_entry(wanted[given["index"]], given["body"])


def check_lake(root, trust, report, since):
    log = report.check("log/checkpoint", Log, root / "log", trust, report, since)
    if log is None:
        return None
    report.check("log/tile", log.walk)
    log.read_bodies()
    commits = {}
    for index, entry in log.kept:
        if entry.kind == COMMIT and index in log.bodies:
            body = log.bodies[index]
            version = (body["table"], body["version"])
            if version in commits:
                report.found(body["table"], f"version {body['version']} is in the log twice")
            commits[version] = body
    names = sorted({table for table, _ in commits} | set(table_names(root)))
    for name in names:
        own = {version: body for (table, version), body in commits.items() if table == name}
        report.check(name, check_table, root, name, own, report)
    for index, entry in log.kept:
        if entry.kind == CERTIFICATE and index in log.bodies:
            number = log.bodies[index]["number"]
            report.check(f"log/certificates/{number}.jws", check_certificate, root, number, log.bodies[index], trust)
            report.did("erasure certificates")
    check_partners(log, trust, report)
    check_time_stamps(log, trust, report)
    return log


STAMP = re.compile(r"([1-9]\d{0,18})\.(?:checkpoint|tsr)")
# MessageImprint (RFC 3161, 2.4.1) of a SHA-256 in DER, with the NULL parameters that it may leave out, or without.
IMPRINTS = tuple(
    bytes.fromhex(text) for text in ("3031300d060960864801650304020105000420", "302f300b06096086480165030402010420")
)


def stamped_sizes(folder):
    """The sizes of the log that have a time stamp beside it."""
    return [int(m[1]) for p in (folder / "timestamps").glob("*.tsr") if (m := STAMP.fullmatch(p.name))]


def check_time_stamps(log, trust, report):
    """Each time stamp's checkpoint is one of this log. Who signed the stamp is not looked at here.

    A checkpoint without a stamp, left by a writer that died, proves nothing and is none."""
    for path in sorted((log.folder / "timestamps").glob("[!.]*")):
        if not STAMP.fullmatch(path.name):
            report.found(f"log/timestamps/{path.name}", "the file is no time stamp")
    for size in sorted(log.stamped):
        if report.check(f"log/timestamps/{size}.tsr", check_time_stamp, log, trust, size):
            report.did("time stamps")
        else:
            del log.stamped[size]


def check_time_stamp(log, trust, size):
    """True. Raises Bad unless the stamp names a checkpoint that both signed, and whose tree this log continues."""
    note = (log.folder / "timestamps" / f"{size}.checkpoint").read_bytes()
    kept = read_checkpoint(note, trust)
    need(kept.size == size, "its checkpoint is of another size than its name says")
    need(size <= log.checkpoint.size, "the log is shorter than when it was stamped")
    need(log.stamped[size] == kept.root, "the log has another history than when it was stamped")
    data = (log.folder / "timestamps" / f"{size}.tsr").read_bytes()
    need(any(start + sha256(note) in data for start in IMPRINTS), "the time stamp is over something else")
    return True


def check_partners(log, trust, report):
    """What partners signed: answers to messages, deliveries; and the deliveries that commits say they rest on."""
    deliveries = {}
    for index, entry in log.kept:
        where, body = f"log/{tile_name('bodies', index // WIDTH)}: entry {index}", log.bodies.get(index)
        if entry.kind == ACKNOWLEDGEMENT and body is not None:
            report.check(where, check_acknowledgement, body, trust)
            report.did("acknowledgements")
        if entry.kind == DELIVERY and body is not None:
            deliveries[entry.number] = (body.get("dataset"), body.get("run_id"))
            report.check(where, check_delivery, body, trust)
            report.did("signed deliveries")
    for body in (log.bodies[index] for index, entry in log.kept if entry.kind == COMMIT and index in log.bodies):
        report.check(body["table"], check_delivered, body, deliveries)


def check_delivered(body, deliveries):
    """The delivery that a commit rests on, if any, is of its own dataset and run."""
    own = (body["table"].partition("/")[2], body["run_id"])
    is_own = body["delivery"] is None or deliveries.get(body["delivery"]) == own
    need(is_own, f"version {body['version']} names a delivery that is not its own")


def partner_claims(token, name, trust):
    """What a partner signed, by a key of its own for signing. Its name, ours and the message are for the caller."""
    need(name in trust.partners, "no key of the partner is known that it says it is by")
    keys = [key for key in trust.partners[name]["keys"] if key.get("use") != "enc"]
    claims = parse(claims_of(token, {"keys": keys}, None))
    need(claims.get("iss") == name, "a token is issued by somebody else than it says")
    return claims


def check_acknowledgement(body, trust):
    """An agency's own signed word that it received this message from this log's operator."""
    claims = partner_claims(body["token"], body["by"], trust)
    said, told = [claims.get(n) for n in ("aud", "kind", "digest")], [trust.origin, body["kind"], body["digest"]]
    need(said == told, "the answer is about another message, or to somebody else")


def check_delivery(body, trust):
    """A holder's own signed word on each answer or file, and the sum of the records that it counts in them."""
    claims = [partner_claims(token, body["holder"], trust) for token in body["statements"]]
    need(body["dataset"].startswith(f"{body['holder']}/"), "the dataset is another holder's")
    need(claims and sum(whole(one["records"]) for one in claims) == body["records"], "the holder counted otherwise")
    contents = {one["content"] for one in claims}
    need(len(contents) == len(claims), "one answer is counted twice")


def check_certificate(root, number, body, trust):
    token = (root / "log" / "certificates" / f"{number}.jws").read_bytes().decode("ascii")
    need(token.endswith("\n"), "the certificate is cut off")
    need(claims_of(token[:-1], trust.documents, CERTIFICATE_TYP) == canonical(body), "it is not the one in the log")


def table_names(root):
    found = []
    for room, depth in ROOMS:
        for log in root.glob("/".join([room, *["*"] * (depth - 1), "_delta_log"])):
            found.append(log.parent.relative_to(root).as_posix())
    return found


def check_table(root, name, bodies, report):
    """Commit files and data files against the log's bodies, one to one."""
    folder = root.joinpath(*name.split("/"))
    commits = folder / "_delta_log"
    there = {int(m[1]): p for p in commits.glob("*") if (m := COMMIT_FILE.fullmatch(p.name))}
    for version in sorted(set(there) - set(bodies)):
        report.found(f"{name}/_delta_log/{version:020d}.json", "no entry of the log names this commit")
    for version in sorted(set(bodies) - set(there)):
        report.found(f"{name}/_delta_log/{version:020d}.json", "the commit is missing")
    for path in sorted(p for p in commits.glob("*") if not COMMIT_FILE.fullmatch(p.name)):
        report.found(path.relative_to(root).as_posix(), "the file does not belong into a table's log")
    live, named = {}, {}
    for version in sorted(set(there) & set(bodies)):
        data = there[version].read_bytes()
        where = there[version].relative_to(root).as_posix()
        if hashlib.sha256(data).hexdigest() != bodies[version]["commit_sha256"]:
            report.found(where, "the commit is not the one that the log names")
            continue
        report.check(where, apply_actions, data, live)
        named.update({file["path"]: file for file in bodies[version]["files"]})
        report.did("commits")
    newest = max(there, default=None)
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and "_delta_log" not in p.parts):
        below = path.relative_to(folder).as_posix()
        where = path.relative_to(root).as_posix()
        if below not in named:
            report.found(where, "no entry of the log names this data file")
        elif hashlib.sha256(path.read_bytes()).hexdigest() != named[below]["sha256"]:
            report.found(where, "the data file is not the one that the log names")
        report.did("data files")
    for below in sorted(live):
        if not (folder / below).is_file():
            report.found(f"{name}/{below}", f"the data file is missing, and version {newest} uses it")


def apply_actions(data, live):
    """Take one commit file's data files into the live set, or out of it."""
    for line in data.split(b"\n"):
        action = json.loads(line) if line else {}
        if "add" in action:
            live[unquote(action["add"]["path"])] = True
        if "remove" in action:
            live.pop(unquote(action["remove"]["path"]), None)


# ----------------------------------------------------------------------------------------------------------------------
# The command
# ----------------------------------------------------------------------------------------------------------------------

NOT_PROVED_BY_A_LAKE = (
    "What stands in Parquet files is compared with the ledger's events by `hanbeon verify` alone.",
    "Whether the holder's record was true, and who a pseudonym is, no log can prove.",
    "Operator and witness together could have signed another history: keep checkpoints of your own (--since).",
)
STAMPS_NOT_PROVED = (
    "Of time stamps only that each names a checkpoint of this log was looked at; by whom they are, and of when, is "
    "checked by `hanbeon verify`, or `openssl ts -verify -data N.checkpoint -in N.tsr -CAfile …`."
)


def verify(folder, trust_file=None, since_file=None):
    """Check a folder; the report. Raises Bad when it is neither a pack nor a lake."""
    report, folder = Report(), Path(folder)
    trust = None
    if trust_file is not None:
        trust = report.check(str(trust_file), lambda: Trust(Path(trust_file).read_bytes()))
        if trust is None:
            return report
    else:
        report.remarks.append("The keys are the folder's own. Compare them with a copy that you trust (--trust).")
    if (folder / "pack.json").exists() or (folder / "pack.jws").exists():
        check_pack(folder, trust, report)
        return report
    if not (folder / "log").is_dir():
        raise Bad("The folder is neither a disclosure pack (pack.json) nor a lake (log/checkpoint).")
    trust = trust or report.check("log/trust.json", lambda: Trust((folder / "log" / "trust.json").read_bytes()))
    since = None
    if trust is not None and since_file is not None:
        since = report.check(str(since_file), lambda: read_checkpoint(Path(since_file).read_bytes(), trust))
    if trust is not None and not report.findings:
        log = check_lake(folder, trust, report, since)
        report.remarks += NOT_PROVED_BY_A_LAKE
        if log is not None and log.stamped:
            report.remarks.append(STAMPS_NOT_PROVED)
    return report


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Check a disclosure pack or a lake, offline.")
    parser.add_argument("folder", type=Path, help="the pack's or the lake's folder")
    parser.add_argument("--trust", type=Path, help="your own copy of the public keys (trust.json)")
    parser.add_argument("--since", type=Path, help="a checkpoint of this log that you kept")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    given = parser.parse_args(arguments)
    try:
        report = verify(given.folder, given.trust, given.since)
    except Bad as bad:
        print(f"{bad}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps({"ok": not report.findings, "findings": report.findings, "checked": report.counts}))
        return 1 if report.findings else 0
    for finding in report.findings:
        print(f"FAILED {finding}")
    counted = ", ".join(f"{count:,} {what}" for what, count in report.counts.items()) or "nothing"
    print(f"{'FAILED' if report.findings else 'OK'}: checked {counted}.")
    for remark in report.remarks:
        print(f"  {remark}")
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
