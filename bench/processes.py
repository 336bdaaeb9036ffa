"""The programs that are measured, and the loopback that they talk to, as processes of their own."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import trustme

FOLDER = Path(__file__).parent

SETTINGS = {
    "TABLE_NAME": "files",
    "BUCKET_NAME": "filestore",
    "ALLOWED_ORIGINS": "*",
    "SIGNED_URL_EXPIRATION": "3600",
    "UNSTORED_FILE_LIFETIME": "3600",
    "LATE_UPLOAD_MARGIN": "86400",
    "STORE_ON_LOAD": "False",
    "KEY_ISOLATION": "False",
    "PUBLIC_UPLOAD": "True",
    "MAX_FILE_SIZE": "5368709120",
    "MULTIPART_THRESHOLD": "104857600",
}
"""The stack's parameters as the functions get them, where it is deployed with its defaults."""


def environment(aws_endpoint_url: str, **settings: str) -> dict[str, str]:
    """The environment that Lambda gives a function of this stack, with AWS elsewhere."""
    return {
        "AWS_ENDPOINT_URL": aws_endpoint_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "POWERTOOLS_SERVICE_NAME": "filestore",
        "POWERTOOLS_METRICS_NAMESPACE": "Filestore",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        # Lambda's code cannot be written to; here it could, and a later run would be measured with what this one left.
        "PYTHONDONTWRITEBYTECODE": "1",
        **SETTINGS,
        **settings,
    }


class _Process:
    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> str:
        """End it, which the end of its input tells it; returns what it wrote to standard error."""
        _, said = self._process.communicate()
        return said

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process has no pipes")
        return self._process.stdin, self._process.stdout

    def _read(self) -> str:
        line = self._pipes()[1].readline()
        if not line:
            raise RuntimeError(f"it ended: {self.close()}")
        return line


class Loopback(_Process):
    """An AWS that answers at once: ``bench.loopback``."""

    def __init__(self, *, due: int = 0) -> None:
        super().__init__([sys.executable, FOLDER / "loopback.py", str(due)])
        self.url = f"http://127.0.0.1:{int(self._read())}"


class SecureLoopback(_Process):
    """The same over TLS, with a certificate of an authority that nobody knows; ``root`` is that authority's own."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        certificate = folder / "certificate.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        super().__init__([sys.executable, FOLDER / "loopback.py", "0", certificate])
        self.url = f"https://127.0.0.1:{int(self._read())}"
        self.root = authority.cert_pem.bytes().decode()


class Container(_Process):
    """An execution environment of Lambda: ``bench.container``, without the packages of this environment."""

    def __init__(
        self,
        artifact: Path,
        env: Mapping[str, str],
        *,
        interpreter: Path | str = sys.executable,
        under: Sequence[str] = (),
        isolated: bool = True,
        count: bool = False,
    ) -> None:
        # Lambda does load the module site: not isolated, so does this.
        isolation = ["-S"] if isolated else []
        options = ["count"] if count else []
        super().__init__([*under, interpreter, *isolation, FOLDER / "container.py", artifact, *options], env)

    def call(self, operation: str, event: Mapping[str, Any], times: int = 1) -> dict[str, Any]:
        """Call a function; see ``bench.container`` for what is answered."""
        stdin, _ = self._pipes()
        stdin.write(json.dumps({"operation": operation, "event": event, "times": times}) + "\n")
        stdin.flush()
        answer: dict[str, Any] = json.loads(self._read())
        return answer
