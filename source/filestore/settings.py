"""What the stack's parameters say, read once from the function's environment."""

import os
from typing import NamedTuple, Self


class Settings(NamedTuple):
    """The environment of a function, as template.yaml sets it. Durations are in seconds, sizes in bytes."""

    table_name: str
    bucket_name: str
    allowed_origins: frozenset[str]
    signed_url_expiration: int
    unstored_file_lifetime: int
    store_on_load: bool
    key_isolation: bool
    max_file_size: int

    @classmethod
    def from_environment(cls) -> Self:
        """Read the settings; a missing or malformed one raises KeyError or ValueError while the function starts.

        The template's parameters refuse what is malformed, so this is for whoever sets a variable by hand.
        """
        return cls(
            table_name=os.environ["TABLE_NAME"],
            bucket_name=os.environ["BUCKET_NAME"],
            allowed_origins=frozenset(origin.strip() for origin in os.environ["ALLOWED_ORIGINS"].split(",")),
            signed_url_expiration=_whole_number("SIGNED_URL_EXPIRATION"),
            unstored_file_lifetime=_whole_number("UNSTORED_FILE_LIFETIME"),
            store_on_load=os.environ["STORE_ON_LOAD"] == "True",
            key_isolation=os.environ["KEY_ISOLATION"] == "True",
            max_file_size=_whole_number("MAX_FILE_SIZE"),
        )


def late_upload_margin() -> int:
    """Seconds after the expiry of its URL for which an upload may still be on its way. The sweep alone is told."""
    return _whole_number("LATE_UPLOAD_MARGIN")


def multipart_threshold() -> int:
    """Bytes above which an upload comes in parts, unless its client wants otherwise. Only ``upload`` is told."""
    return _whole_number("MULTIPART_THRESHOLD")


def upload_is_public() -> bool:
    """Whether anybody may ask for an upload, or else whoever has an API key. The upload function alone is told."""
    return os.environ["PUBLIC_UPLOAD"] != "False"


def _whole_number(name: str) -> int:
    value = os.environ[name]
    if not (value.isascii() and value.isdecimal()):
        raise ValueError(f"{name} is {value!r}, and has to be a whole number: set the stack's parameter anew")
    return int(value)
