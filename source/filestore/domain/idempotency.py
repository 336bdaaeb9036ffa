"""Requests that may come twice: what an upload is called that was asked for with an Idempotency-Key.

Id and token follow from the key, so the record that is written anyhow is all that has to be kept of it. What is kept
does not tell the token: it takes the key, the body and the salt, of which the key alone is nowhere.
"""

import base64
import hashlib
import hmac
from typing import NamedTuple

# Neither a key nor an id of an API key has one.
_BETWEEN = "\0"


class RequestKey(NamedTuple):
    """A key, the caller who it is a key of (empty where anybody may ask), and the body that came with it."""

    caller: str
    key: str
    body: str

    @property
    def file_id(self) -> str:
        """The id: the same for each body, so that another one meets the first."""
        named = _BETWEEN.join(("file", self.caller, self.key))
        return hashlib.sha256(named.encode()).hexdigest()[:32]

    def token(self, salt: str) -> str:
        """The upload token, of 256 bits as those that are drawn. Another body has another."""
        said = _BETWEEN.join((self.caller, self.key, self.body))
        digest = hmac.digest(salt.encode(), said.encode(errors="surrogatepass"), "sha256")
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")
