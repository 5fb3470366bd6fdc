"""Bounds on every holder: how long a delivery may take (F29), and which addresses may be dialled (F27).

`allowed_hosts` in settings lists host names, addresses and networks (`10.20.0.0/16`). A host must be listed as it is
written in the endpoint. The address that its name resolves to is what is dialled, and it must be a public one or be
listed too, so that a listed name cannot be pointed at an inner address.
"""

import ipaddress
import socket
import time
from dataclasses import dataclass

from hanbeon.errors import DependencyDown, SourceError
from hanbeon.settings import SourceSettings

LOOPBACK = "localhost"


@dataclass(frozen=True)
class Deadline:
    """The end of a dataset's time, on the monotonic clock."""

    holder: str
    ends: float

    def remaining(self) -> float:
        """Seconds left. Raises SourceError when there are none."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise SourceError(f"{self.holder} took longer than a dataset may take (sources.dataset_seconds). Stopped.")
        return left


def deadline(holder: str, settings: SourceSettings) -> Deadline:
    return Deadline(holder, time.monotonic() + settings.dataset_seconds)


def address_to_dial(holder: str, host: str, port: int, settings: SourceSettings) -> str:
    """Resolve a host once. Raises SourceError when host or address is not allowed, DependencyDown when unknown."""
    if host.lower() not in {h.lower() for h in settings.allowed_hosts}:
        raise SourceError(f"{holder} is to be reached at a host that sources.allowed_hosts does not list. Refused.")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        raise DependencyDown(f"The host name of {holder} cannot be resolved. Check endpoint and name server.") from None
    for *_, address in found:
        if _may_dial(str(address[0]), settings):
            return str(address[0])
    raise SourceError(
        f"The host name of {holder} resolves to an inner address that sources.allowed_hosts does not list. Refused."
    )


def _may_dial(address: str, settings: SourceSettings) -> bool:
    ip = ipaddress.ip_address(address.split("%")[0])
    for allowed in settings.allowed_hosts:
        if allowed == LOOPBACK and ip.is_loopback:
            return True
        try:
            if ip in ipaddress.ip_network(allowed, strict=False):
                return True
        except ValueError:  # a name, not a network
            continue
    return ip.is_global and not ip.is_multicast
