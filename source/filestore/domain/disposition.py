"""Content-Disposition (RFC 6266): the name under which a browser saves a download.

Names come from strangers, and from records of older releases, which took more than this one does: so nothing here
relies on what a request was checked for. What could mislead or harm whoever saves the file becomes ``_``, one for each
character: replaced, never removed, so that nothing that was apart comes together.
"""

import re
import unicodedata
from urllib.parse import quote

# Of a name in UTF-8. Each takes up to five bytes of the URL ("%25E3"), and S3 takes 8192 of request line and headers.
_MAX_OCTETS = 600
_LONGEST_ENDING = 20
# attr-char of RFC 8187 beyond letters and digits, which quote() always leaves alone.
_ATTR_CHARS = "!#$&+-.^_`|~"
# Control characters, separators of lines and of directories, and what shows nothing but hides or turns around what is
# next to it, Hangul's fillers too. The joiners and marks that emoji, Persian, Hebrew or Arabic are written with stay
# (U+200C to U+200F).
_MISLEADING = re.compile(
    r"[\x00-\x1f\x7f-\x9f/\\\xad\u115f\u200b\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0\ufff9-\ufffb]"
)
# Windows drops dots and spaces in the end, and has devices of these names, whatever follows the first dot.
_UNSTABLE_END = re.compile(r"[. ]+$")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3])\s*(?:\.|$)", re.IGNORECASE)


def attachment(name: str) -> str:
    """A header value that saves under ``name``: in ASCII for old clients, and exactly (RFC 8187) for all others."""
    return _disposition("attachment", name)


def inline(name: str) -> str:
    """The same for what a browser shows, and saves under ``name`` when it is told to."""
    return _disposition("inline", name)


def _disposition(kind: str, name: str) -> str:
    visible = "".join("_" if _is_separator(each) else each for each in _MISLEADING.sub("_", name))
    exact = _settled(_cut(visible))
    return f"{kind}; filename=\"{_settled(_ascii(exact))}\"; filename*=UTF-8''{quote(exact, safe=_ATTR_CHARS)}"


def _is_separator(character: str) -> bool:
    """Whether a program that folds compatible characters, as many do, would make a separator of directories of it."""
    return not character.isascii() and not {"/", "\\"}.isdisjoint(_folded(character))


def _folded(character: str) -> str:
    return unicodedata.normalize("NFKC", character)


def _settled(name: str) -> str:
    """A name that is none of a hidden file, of a folder above or of a device, and that no system shortens."""
    start = next((place for place, each in enumerate(name) if not _is_blank_or_dot(each)), len(name))
    kept = _UNSTABLE_END.sub(lambda found: "_" * len(found[0]), "_" * start + name[start:])
    return f"_{kept}" if not kept or _DEVICE.match(kept) else kept


def _is_blank_or_dot(character: str) -> bool:
    return _folded(character)[0] in ". " or unicodedata.category(character) == "Cf"


def _cut(name: str) -> str:
    """At most _MAX_OCTETS of a name, with its ending."""
    if len(name.encode()) <= _MAX_OCTETS:
        return name
    stem, dot, ending = name.rpartition(".")
    if len(ending) > _LONGEST_ENDING:
        stem, dot, ending = name, "", ""
    room = _MAX_OCTETS - len(f"{dot}{ending}".encode())
    return stem.encode()[:room].decode(errors="ignore") + dot + ending


def _ascii(name: str) -> str:
    """A letter without its accents, a plain character as it is, an underscore for anything else.

    A percent sign would be decoded by some browsers, quotes and backslashes by others. What is compatible with more
    than one letter or digit (U+2025 with two dots, U+2100 with a slash) is never spelled out.
    """
    return "".join(_plain(each) for each in name if not unicodedata.combining(each))


def _plain(character: str) -> str:
    if character.isascii():
        return "_" if character in '"%*:<>?|' else character
    spelled = "".join(each for each in unicodedata.normalize("NFKD", character) if not unicodedata.combining(each))
    return spelled if len(spelled) == 1 and spelled.isascii() and spelled.isalnum() else "_"
