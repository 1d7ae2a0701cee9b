"""Admits websockets to the gateway by the bearer token of their connection_init, or of their handshake."""

import time
from collections.abc import Mapping
from typing import Any, Final

from gateway.auth.keys import KeysUnavailable
from gateway.auth.middleware import Identify
from gateway.auth.tokens import InvalidToken
from gateway.http.request import request_id_of
from gateway.http.stream import Admission, Admit
from gateway.operation.prepared import Asker
from gateway.operation.refusal import TOKEN_EXPIRED, Ended, Ending

_PAYLOAD_HEADERS: Final = ("authorization", "x-purpose")
"""Browsers cannot set headers at a websocket's handshake: connection_init may carry these."""


def admit_by_token(identify: Identify) -> Admit:
    """Make the admission of an endpoint. A caller without a token is the public."""

    async def admit(payload: Mapping[str, Any], handshake: Mapping[str, str], /) -> Admission:
        sent = {name.lower(): value for name, value in payload.items() if isinstance(value, str)}
        headers = dict(handshake) | {name: sent[name] for name in _PAYLOAD_HEADERS if name in sent}
        try:
            identity = await identify([headers["authorization"]] if "authorization" in headers else [])
        except InvalidToken as refused:
            raise Ended(Ending(4403, TOKEN_EXPIRED.code, str(refused))) from None
        except KeysUnavailable as away:
            raise Ended(Ending(1013, "UNAVAILABLE", str(away))) from None
        expires_at = identity.read_expiry()
        if expires_at is not None and expires_at <= time.time():
            raise Ended(TOKEN_EXPIRED)
        asker = Asker(headers, request_id_of(headers), viewer=identity.viewer)
        return Admission(asker, expires_at, identity.viewer.subject)

    return admit
