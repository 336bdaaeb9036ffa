"""Every test, in two processes beside each other: those of the page wait for Chromium half of their time.

Each takes about as long, so that neither waits for the other.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence

from local import npm

# What looks at the log of all tests does so in each process.
LOGS = "tests/test_logs.py"
FIRST = ("tests/integration", "tests/unit", LOGS)
SECOND = ("tests/browser", "tests/proof", LOGS)


def main(options: Sequence[str]) -> int:
    """Returns the exit status: 0 where every test passed. ``options`` are pytest's, for both."""
    # Both would, and in the same folder.
    npm.install(print, for_tests=True)
    pytest = [sys.executable, "-m", "pytest", *options]
    print("The other tests run beside those of the stack. What they say comes at the end.", flush=True)
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        second = subprocess.Popen([*pytest, *SECOND], stdout=said, stderr=subprocess.STDOUT)
        try:
            first = subprocess.run([*pytest, *FIRST], check=False).returncode
            second.wait()
        finally:
            # Ctrl-C reaches it as well; what still runs then has to clear up.
            second.terminate()
            second.wait()
            said.seek(0)
            shutil.copyfileobj(said, sys.stdout)
    return first or second.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
