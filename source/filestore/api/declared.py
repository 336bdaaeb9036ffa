"""What may be said of a file, by who uploads it and by who changes it: names, meta."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from filestore.api.request import is_encodable, is_printable
from filestore.errors import FieldError, InvalidBodyError

Check = Callable[[object], Iterator[FieldError]]

# No file system has names of more than 255 characters in UTF-16, which are at most 765 octets in UTF-8.
_MAX_NAME = 255
_MAX_NAME_OCTETS = 765
_MAX_META_PAIRS = 50
_MAX_META_KEY = 64
_MAX_META_VALUE = 512
# Octets of all keys and values in UTF-8. Anybody may send them, and every kilobyte of a record is another write unit
# each time that it changes (SECURITY.md has the bill).
_MAX_META = 2048
# However much is wrong, an answer stays small.
_MAX_ERRORS = 20
# Embeddings, overrides and isolates of a direction: in "\u202egpj.exe" they show "exe.jpg" (Unicode TR 36, 3.1).
_DIRECTION = re.compile(r"[\u202a-\u202e\u2066-\u2069]")


def checked(body: object, checks: Mapping[str, Check], *, needed: str | None = None) -> dict[str, Any]:
    """Returns the body, once nothing is wrong with it: an object with these properties, each as its check wants it."""
    if not isinstance(body, dict):
        raise InvalidBodyError([FieldError("", "A JSON object is needed.")])
    errors = [FieldError(pointer(key), "There is no such property.") for key in body if key not in checks]
    if needed is not None and needed not in body:
        errors.append(FieldError(pointer(needed), f"A {needed} is needed."))
    errors += [error for key, check in checks.items() if key in body for error in check(body[key])]
    if errors:
        raise InvalidBodyError(errors[:_MAX_ERRORS])
    return body


def file_name(path: str) -> str:
    """The name without its directory, in the notation of either kind of system."""
    return re.split(r"[/\\]", path)[-1]


def check_name(value: object) -> Iterator[FieldError]:
    """What is wrong with a name."""
    if not isinstance(value, str):
        yield FieldError("/name", "A name is a string.")
    elif not is_printable(value):
        yield FieldError("/name", "A name has no control characters.")
    elif _DIRECTION.search(value):
        yield FieldError("/name", "A name has no characters that turn the direction of others.")
    elif not 1 <= len(file_name(value)) <= _MAX_NAME or file_name(value) in (".", ".."):
        yield FieldError("/name", f"A name has 1 to {_MAX_NAME} characters, its directory not counted.")
    elif _octets(file_name(value)) > _MAX_NAME_OCTETS:
        yield FieldError("/name", f"A name has at most {_MAX_NAME_OCTETS} octets in UTF-8.")


def check_meta(value: object) -> Iterator[FieldError]:
    """What is wrong with meta."""
    if not isinstance(value, dict) or len(value) > _MAX_META_PAIRS:
        yield FieldError("/meta", f"Meta is an object of at most {_MAX_META_PAIRS} strings.")
        return
    for key, text in value.items():
        if not 1 <= len(key) <= _MAX_META_KEY or not is_printable(key):
            yield FieldError("/meta", f"A key of meta has 1 to {_MAX_META_KEY} printable characters.")
        elif not isinstance(text, str) or len(text) > _MAX_META_VALUE or not is_encodable(text):
            yield FieldError(pointer("meta", key), f"A value has at most {_MAX_META_VALUE} characters.")
    if sum(_octets(key) + _octets(text) for key, text in value.items() if isinstance(text, str)) > _MAX_META:
        yield FieldError("/meta", f"The keys and values of meta have at most {_MAX_META} octets in UTF-8 together.")


def _octets(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def pointer(*parts: str) -> str:
    """A JSON Pointer (RFC 6901). What no valid body has as a key is cut."""
    return "".join("/" + part[:_MAX_META_KEY].replace("~", "~0").replace("/", "~1") for part in parts)
