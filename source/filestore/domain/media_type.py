"""What contents are said to be: the type declared with an upload, or the one that the uploader sends to S3."""

import re

# type "/" subtype and parameters (RFC 9110, 8.3.1), in the characters that a header may hold.
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(?: ?; ?[ -~]{1,120})?")
_MAX_LENGTH = 255
# S3's own where the uploader sends none, what browsers and curl send of what they do not know, and that of a form.
_SAY_NOTHING = frozenset(
    {"application/octet-stream", "application/x-www-form-urlencoded", "binary/octet-stream"},
)

# What a browser shows and runs no script of. Of images, sound and video whatever is no XML: as XML each could be a page
# (SVG above all). The characters of a subtype have no comma, at which browsers divide a header and take the last type.
_SHOWN = re.compile(r"(?:image|audio|video)/[a-z0-9!#$&^_.+-]+(?<!xml)|application/pdf|text/plain")
_CHARSET = re.compile(r"\s*charset=([A-Za-z0-9_-]+)\s*")


def is_media_type(text: str) -> bool:
    """Whether the text has the form of a media type and fits in a record and a URL: at most 255 characters."""
    return len(text) <= _MAX_LENGTH and _MEDIA_TYPE.fullmatch(text) is not None


def told_by(header: str) -> str | None:
    """The type that a stranger's Content-Type tells; None where it says nothing, or is no type.

    Without its parameters: clients of 2019 compare it, and the boundary of a form is of no use to anybody.
    """
    essence = header.partition(";")[0].strip()
    return essence if essence.lower() not in _SAY_NOTHING and is_media_type(essence) else None


def shown_as(media_type: str) -> str | None:
    """The type under which a browser may show contents of this type; None where it could run a script of theirs.

    Without its parameters, but the charset of a text.
    """
    essence, _, parameters = media_type.partition(";")
    essence = essence.strip().lower()
    if not _SHOWN.fullmatch(essence) or essence.startswith("image/svg"):
        return None
    charset = _CHARSET.fullmatch(parameters) if essence == "text/plain" else None
    return f"{essence}; charset={charset[1]}" if charset else essence
