"""The root certificates that the deployed functions trust."""

import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import botocore

from ops.smoke.checks import CheckFailed, NotSeen, check
from ops.smoke.session import Smoke
from tools.prune import trusted_roots

_TIMEOUT = 20


@check(source="amazontrust.com/repository; tools/prune.py", not_here="the emulator has no TLS")
def roots(smoke: Smoke) -> str:
    """DynamoDB and S3 show certificates that the ten roots of the artifact vouch for."""
    addresses = [
        smoke.deployment.client("dynamodb").meta.endpoint_url,
        smoke.begin()["url"],
    ]
    hosts = [urlsplit(address).netloc for address in addresses]
    bundle = trusted_roots((Path(botocore.__file__).parent / "cacert.pem").read_text(encoding="utf-8"))
    for host in hosts:
        vouched(host, 443, bundle)
    return ", ".join(hosts)


def vouched(host: str, port: int, bundle: str) -> None:
    """Raise CheckFailed unless one of these roots vouches for the certificate that a host shows."""
    context = ssl.create_default_context(cadata=bundle)
    try:
        with (
            socket.create_connection((host, port), timeout=_TIMEOUT) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return
    except ssl.SSLCertVerificationError as error:
        raise CheckFailed(
            expected=f"a root of tools/prune.py for {host}",
            came=error.verify_message,
            do=(
                "If key-works is OK, a proxy between you and AWS shows its own certificate. Otherwise the functions"
                " cannot connect: add the root to _TRUSTED, or keep the whole bundle."
            ),
        ) from None
    except OSError as error:
        raise NotSeen(f"{host} cannot be reached directly from here ({error})") from None
