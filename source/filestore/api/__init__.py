"""HTTP: what API Gateway hands over, what it takes back, and which status an error has."""

from filestore.api.caller import owner
from filestore.api.endpoint import endpoint
from filestore.api.request import MAX_IDS, Request
from filestore.api.response import Response, batch, details, fitting, found, no_content, ok

__all__ = [
    "MAX_IDS",
    "Request",
    "Response",
    "batch",
    "details",
    "endpoint",
    "fitting",
    "found",
    "no_content",
    "ok",
    "owner",
]
