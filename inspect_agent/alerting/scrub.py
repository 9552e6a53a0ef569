"""Takes secrets out of text that leaves the notify worker: answers and standard error.

A secret may come back in another dress: quoted in a URL, in an exception's repr, in base64 as
SMTP and HTTP send it. Of a secret that is a URL, everything may be secret but a host's name:
chat services put their tokens into the path, the user, the query, and apprise even into the host.
"""

from __future__ import annotations

import ipaddress
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus, unquote

from inspect_agent.model.metric import Param

_MASK = "***"
_SHORTEST_PIECE = 4  # `v1` in a URL's path is no secret, and masking it would spoil the text
_HOST_NAME = re.compile(r"localhost|([a-z0-9-]+\.)+[a-z]+")  # tokens have capitals, or no dot


def secrets_of(declared: Iterable[Param], params: Mapping[str, str]) -> frozenset[str]:
    """Every text that must not appear, from the parameters that are declared secret."""
    values = {params.get(item.name, "") for item in declared if item.kind == "secret"}
    return frozenset(form for value in values for part in _parts(value) for form in _forms(part))


def scrub(text: str, secrets: Iterable[str]) -> str:
    """`text` with each secret masked, in capitals or not, the longest first."""
    longest_first = sorted(filter(None, secrets), key=len, reverse=True)
    if not longest_first:
        return text
    return re.sub("|".join(map(re.escape, longest_first)), _MASK, text, flags=re.IGNORECASE)


def _parts(value: str) -> set[str]:
    """The value, and where it is a URL the pieces of it that may be secret."""
    _, separator, rest = value.partition("://")
    if not separator:
        return {value}
    before_query, _, query = rest.partition("?")
    netloc = before_query.partition("/")[0]
    userinfo = netloc.rpartition("@")[0]
    answers = (pair.partition("=")[2] for pair in query.split("&"))
    pieces = {*re.split("[/:@,;#]", before_query), *answers}
    long = {piece for piece in pieces if len(piece) >= _SHORTEST_PIECE and not _is_host(piece)}
    return {value, rest, query, userinfo, *userinfo.split(":"), *long}


def _is_host(piece: str) -> bool:
    try:
        ipaddress.ip_address(piece)
    except ValueError:
        return _HOST_NAME.fullmatch(piece) is not None
    return True


def _forms(secret: str) -> set[str]:
    """How a secret may be written."""
    found = set()
    for plain in (secret, unquote(secret)):
        found |= {plain, quote(plain, safe=""), quote(plain), quote_plus(plain), repr(plain)[1:-1]}
        found |= _base64(plain.encode())
    return found


def _base64(secret: bytes) -> set[str]:
    """What is left of a secret in base64 wherever in the encoded text it begins.

    The characters at both ends depend on the neighbours, too: they are left out.
    """
    found = set()
    for offset in range(3):
        encoded = b64encode(b"\0" * offset + secret).decode()
        first, last = -(-offset * 8 // 6), (offset + len(secret)) * 8 // 6
        found.add(encoded[first:last])
    return {form for form in found if len(form) >= _SHORTEST_PIECE}
