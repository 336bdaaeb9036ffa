"""Content-Disposition (RFC 6266): the name under which a browser saves a download."""

import unicodedata
from urllib.parse import quote

# attr-char of RFC 8187 beyond letters and digits, which quote() always leaves alone.
_ATTR_CHARS = "!#$&+-.^_`|~"


def attachment(name: str) -> str:
    """A header value that saves under ``name``: in ASCII for old clients, and exactly (RFC 8187) for all others."""
    return f"attachment; filename=\"{_ascii(name)}\"; filename*=UTF-8''{quote(name, safe=_ATTR_CHARS)}"


def _ascii(name: str) -> str:
    # A percent sign would be decoded by some browsers, quotes and backslashes by others.
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(
        character if " " <= character <= "~" and character not in '"\\%' else "_"
        for character in decomposed
        if not unicodedata.combining(character)
    )
