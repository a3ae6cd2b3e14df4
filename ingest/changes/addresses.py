"""Where outgoing calls may go: public addresses only, looked up once for each message and then held on to."""

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from core.errors import InvalidInputError

MAX_URL = 2_000
_SCHEMES = frozenset({"http", "https"})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class AddressRefusedError(Exception):
    """The name leads to an address that webhooks must not reach."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one message goes: the address that was checked, and the name that the server is asked by."""

    url: httpx.URL
    host_header: str
    server_name: str


def check_url(text: str, *, allow_private: bool, field: str = "url") -> str:
    """The address of an outgoing call; raises InvalidInputError for what is none or plainly leads inside."""
    if len(text) > MAX_URL:
        raise InvalidInputError(f"Must be at most {MAX_URL} characters.", field=field)
    try:
        url = httpx.URL(text)
        host = url.host
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise InvalidInputError("Must be an http or https address.", field=field) from error
    # A percent sign in a name is an IPv6 zone, or something that was no name before it was quoted.
    if url.scheme not in _SCHEMES or not host or "%" in host or " " in text or not text.isprintable():
        raise InvalidInputError("Must be an http or https address.", field=field)
    if url.userinfo or url.fragment:
        raise InvalidInputError("Must have no user, password or fragment.", field=field)
    if not allow_private and not _may_be_public(host):
        raise InvalidInputError("Must be reachable from the public internet.", field=field)
    return str(url)


def _may_be_public(host: str) -> bool:
    try:
        return is_public(ipaddress.ip_address(host))
    except ValueError:
        name = host.lower().rstrip(".")
        return not any(name == local or (local.startswith(".") and name.endswith(local)) for local in _LOCAL_NAMES)


def is_public(address: Address) -> bool:
    """Whether it belongs to the public internet, also where an IPv6 address wraps an IPv4 one."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address.teredo is not None:
            inner = address.teredo[1]
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


async def find_target(text: str, *, allow_private: bool) -> Target:
    """Look the name up and keep one of its addresses; raises AddressRefusedError when any of them leads inside.

    The connection goes to that very address: a name that answers otherwise a moment later changes nothing.
    """
    url = httpx.URL(text)
    found = await asyncio.get_running_loop().getaddrinfo(url.host, _port(url), type=socket.SOCK_STREAM)
    return _target(url, found, allow_private=allow_private)


def look_up_target(text: str, *, allow_private: bool) -> Target:
    """As `find_target`, for threads."""
    url = httpx.URL(text)
    return _target(url, socket.getaddrinfo(url.host, _port(url), type=socket.SOCK_STREAM), allow_private=allow_private)


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)


def _target(url: httpx.URL, found: Sequence[tuple[Any, ...]], *, allow_private: bool) -> Target:
    # Scoped IPv6 addresses carry a zone after a percent sign.
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise AddressRefusedError
    return Target(url.copy_with(host=str(addresses[0])), url.netloc.decode("ascii"), url.raw_host.decode("ascii"))
