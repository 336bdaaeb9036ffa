import os
from pathlib import Path
import socket
import tempfile
from collections.abc import Iterator

import pytest

# Nothing here may ever reach a real account, whatever the shell's environment says.
for variable in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[variable]
os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": "filestore",
    "POWERTOOLS_METRICS_NAMESPACE": "Filestore",
}



@pytest.fixture(scope="session")
def embedded_aws() -> Iterator[str]:
    """The address of an embedded AWS of the session's own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    state = tempfile.mkdtemp()
    import subprocess, sys
    process = subprocess.Popen([sys.executable, "-m", "hypercorn", "local.engine:app", "--bind", f"127.0.0.1:{port}", "--keep-alive", "75"], cwd=str(Path(__file__).parents[1]), env={"PATH": os.environ["PATH"], "GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "AUTH": "true", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0", "STATE_DIR": state, "S3_DATA_DIR": state}, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    import time, urllib.request
    for _ in range(100):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_ministack/health").read(); break
        except OSError:
            time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.terminate(); process.wait()
