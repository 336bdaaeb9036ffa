"""Runs the whole stack on this machine, in the foreground, until Ctrl-C."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Any

if sys.version_info < (3, 11):  # noqa: UP036 - python -m local can be typed without make, which checks it too
    sys.exit(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}. Try: make run PYTHON=python3.11")

from botocore.exceptions import BotoCoreError, ClientError

from local.errors import LocalError
from local.stack import Stack
from local.terminal import printable

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> int:
    """Return the exit status: 0 when stopped, 1 when something failed."""
    options = _options()
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    stack = Stack(
        port=options.port,
        aws_port=options.aws_port,
        state=options.state_dir,
        parameters={name: value for name, value in _parameters(options).items() if value is not None},
        say=_say,
    )
    try:
        stack.start()
        _say(
            _welcome(
                stack.outputs, store_on_load=options.store_on_load == "True", public=options.public_upload != "False"
            )
        )
        stack.emulator_died.wait()
        raise LocalError(
            stack.failure
            or "The emulator has ended unexpectedly. make run goes on from what it has acknowledged."
            f" What it said is in {stack.emulator_log}."
        )
    except LocalError as error:
        print(f"error: {printable(str(error))}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        said = printable(str(error))
        print(f"error: The emulator failed: {said} More is in {stack.emulator_log}.", file=sys.stderr)
        return 1
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        print(f"error: {where}{error.strerror or error}. Put it right, then make run again.", file=sys.stderr)
        return 1
    except _Interrupted:
        _say("\nStopping ...")
    finally:
        _ignore_signals()
        stack.stop()
    return 0


class _Interrupted(BaseException):
    """Somebody wants this to end, by Ctrl-C or by a signal."""


def _interrupt(*_: object) -> None:
    _ignore_signals()
    raise _Interrupted


def _ignore_signals() -> None:
    """From here on it only takes a moment: a second Ctrl-C must not leave processes behind."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("--port", type=_port, default=8000, help="of the page (default 8000)")
    parser.add_argument("--aws-port", type=_port, default=4566, help="of the emulator (default 4566)")
    parser.add_argument("--state-dir", type=Path, default=Path(".local"), help="where everything is kept")
    parser.add_argument("--store-on-load", choices=("True", "False"), help="parameter StoreOnLoad")
    parser.add_argument("--public-upload", choices=("True", "False"), help="parameter PublicUpload")
    parser.add_argument("--key-isolation", choices=("True", "False"), help="parameter KeyIsolation")
    parser.add_argument("--signed-url-expiration", metavar="SECONDS", help="parameter SignedUrlExpiration")
    parser.add_argument("--unstored-file-lifetime", metavar="SECONDS", help="parameter UnstoredFileLifetime")
    parser.add_argument("--late-upload-margin", metavar="SECONDS", help="parameter LateUploadMargin")
    parser.add_argument("--sweep-schedule", metavar="EXPRESSION", help="parameter SweepSchedule")
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:  # noqa: PLR2004 - the range of TCP's ports
        raise argparse.ArgumentTypeError(f"{text} is not a port: a number from 1 to 65535")
    return int(text)


def _parameters(options: argparse.Namespace) -> dict[str, str | None]:
    return {
        "StoreOnLoad": options.store_on_load,
        "PublicUpload": options.public_upload,
        "KeyIsolation": options.key_isolation,
        "SignedUrlExpiration": options.signed_url_expiration,
        "UnstoredFileLifetime": options.unstored_file_lifetime,
        "LateUploadMargin": options.late_upload_margin,
        "SweepSchedule": options.sweep_schedule,
    }


def _welcome(outputs: dict[str, Any], *, store_on_load: bool, public: bool) -> str:
    api, key = outputs["ApiRootUrl"], outputs["ApiKey"]
    send = """curl -s -T README.md "$(echo "$up" | cut -d'"' -f8)\""""
    json, authorised = "-H 'Content-Type: application/json'", f"-H 'x-api-key: {key}'"
    asking = json if public else f"{authorised} {json}"
    store = f"""  curl -s -X PUT {api}/files {authorised} {json} -d "[\\"$id\\"]"; echo\n"""
    return f"""
Ready.

  Page     {outputs["WebUrl"]}
  API      {api}
  Docs     {outputs["WebUrl"]}reference.html
  Key      {key}

Upload this project's README{"" if store_on_load else ", store it"}, look at it, delete it:

  up=$(curl -s {api}/file {asking} -d '{{"name":"README.md"}}'); id=$(echo "$up" | cut -d'"' -f4); {send}; echo $id
{"" if store_on_load else store}  curl -s {api}/files {authorised} {json} -d "[\\"$id\\"]"; echo
  curl -s -X DELETE {api}/files {authorised} {json} -d "[\\"$id\\"]"; echo

Ctrl-C stops it, and the next run goes on where this one ended. Requests:
"""


def _say(text: str) -> None:
    """Print a line. Where nobody reads it any more, as after ``| head``, end as by Ctrl-C."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        # What is still in the buffer has to go somewhere when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
