"""What strangers wrote, made fit for a terminal."""

import json


def printable(text: str) -> str:
    r"""Returns the text with every character that prints nothing as its escape of JSON, as in ``\u001b``.

    A terminal obeys control characters: they move the cursor, clear the screen, forge lines. Marks of direction turn
    what is printed around. Names, paths, keys and messages of errors can have any of them.
    """
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)
