"""The form of a file's id, as swagger.yaml has it."""

import re

_ID = re.compile(r"[0-9a-f]{32}")


def is_file_id(text: str) -> bool:
    """Returns whether the text has the form of a file's id."""
    return _ID.fullmatch(text) is not None
