"""The process of the emulator: ministack behind the gate, its S3 as Amazon's."""

import asyncio
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.logging import Logger
from ministack.app import app as ministack

from local import credentials
from local.durability import Keeper
from local.faithful_s3 import App, Send, faithful, has_bucket
from local.gate import Gate
from local.inside import delivers_anew, say_which_key

_LOOK_AGAIN = 0.5
# In a form that the SDKs read.
_REFUSAL = (
    b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>Pages reach the API and what a function has signed."
    b" Programs command the emulator with the AwsAccessKeyId of outputs.json, under 127.0.0.1 or localhost.</Message>"
    b"</Error></ErrorResponse>\n"
)


def gated(emulator: App, gate: Gate) -> App:
    """Returns an ASGI application that serves what the gate admits, and the emulator's start and stop."""

    async def app(scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan" or gate.admits(scope):
            await emulator(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close"})
        else:
            headers = [(b"content-type", b"application/xml"), (b"content-length", b"%d" % len(_REFUSAL))]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})

    return app


class _Log(Logger):
    def atoms(self, request: Any, response: Any, request_time: float) -> Mapping[str, str]:
        """The path as it was sent: without its escapes it could end the line and begin another."""
        return {**super().atoms(request, response, request_time), "U": request["raw_path"].decode("ascii")}


def main() -> None:
    """Serve on 127.0.0.1 until SIGTERM; state is saved on the way out.

    Arguments: the port, the parent's process id, the folder of the snapshots, the number of the one to go on from.
    """
    port, parent, folder, number = sys.argv[1:]
    threading.Thread(target=_end_with, args=(int(parent),), daemon=True).start()
    root_key = os.environ["AWS_ACCESS_KEY_ID"]
    credentials.draw_those_of_functions(root_key)
    config = Config()
    config.logger_class = _Log
    # From now on requests wait, those of functions that are started before all is recovered too.
    listener = socket.create_server(("127.0.0.1", int(port)))
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.accesslog = "-"
    # The path alone: a query may be presigned.
    config.access_log_format = "request %(m)s %(U)s %(s)s %(L)s"
    say_which_key()
    delivers_anew()
    kept = faithful(Keeper(ministack, Path(folder), int(number)))
    asyncio.run(serve(gated(kept, Gate(int(port), root_key, has_bucket, credentials.has_key)), config))


def _end_with(parent: int) -> None:
    """End this process, its state saved, when the one that started it is gone: killed, it could not say so."""
    while os.getppid() == parent:
        time.sleep(_LOOK_AGAIN)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
