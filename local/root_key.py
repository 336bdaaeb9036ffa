"""The key id of the emulator's root, drawn for each state folder.

The emulator looks at root's key id alone and never at its secret, and takes well-known ones. ``local.gate`` lets nobody
act as root who does not name this one: it is what only the owner of the state folder knows.
"""

import os
import re
import secrets
from pathlib import Path

_FORM = re.compile(r"AKIA[0-9A-F]{32}")


def of(state: Path) -> str:
    """Returns the key id of a state folder, drawn when it is first asked for. The file is its owner's alone.

    Where the file is damaged another key is drawn: the emulator takes whoever names no key for root.
    """
    path = state / "root-key"
    if not path.exists() or not _FORM.fullmatch(path.read_text(encoding="utf-8", errors="replace")):
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"AKIA{secrets.token_hex(16).upper()}")
        draft.replace(path)
    return path.read_text(encoding="utf-8")
