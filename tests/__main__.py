"""Every test, in five processes beside each other: those of stacks and of the page wait half of their time.

The others compute, and are nice to them: they take the time that they leave. The proof takes the longest, and more.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack

from local import npm

# What looks at the log of all tests does so in each process.
LOGS = "tests/test_logs.py"
_OUTAGES = (
    "tests/integration/faults",
    "tests/integration/outages",
    "tests/integration/test_kill_window.py",
    "tests/integration/test_kills.py",
)
OF_OUTAGES = (*_OUTAGES, LOGS)
OF_STACKS = ("tests/integration", *(f"--ignore={files}" for files in _OUTAGES), LOGS)
OF_PAGES = ("tests/browser", LOGS)
OF_FUNCTIONS = ("tests/unit", LOGS)
OF_THE_PROOF = ("tests/proof", LOGS)
_NICE, _LESS_NICE = ("nice", "-n", "5"), ("nice", "-n", "2")


def main(options: Sequence[str]) -> int:
    """Returns the exit status: 0 where every test passed. ``options`` are pytest's, for all."""
    # Each would, and in the same folder.
    npm.install(print, for_tests=True)
    pytest = [sys.executable, "-m", "pytest", *options]
    print("The other tests run beside those of the stack. What they say comes at the end.", flush=True)
    with ExitStack() as stack:
        others = []
        for nice, files in (((), OF_OUTAGES), ((), OF_PAGES), (_NICE, OF_FUNCTIONS), (_LESS_NICE, OF_THE_PROOF)):
            said = stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
            others.append((subprocess.Popen([*nice, *pytest, *files], stdout=said, stderr=subprocess.STDOUT), said))
        try:
            statuses = [subprocess.run([*pytest, *OF_STACKS], check=False).returncode]
            statuses += [process.wait() for process, _ in others]
        finally:
            # Ctrl-C reaches them as well; what still runs then has to clear up.
            for process, said in others:
                process.terminate()
                process.wait()
                said.seek(0)
                shutil.copyfileobj(said, sys.stdout)
    return max(statuses, key=abs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
