"""An AWS on 127.0.0.1 that answers at once, so that what is measured is our side of a call and not the emulator's.

It answers as DynamoDB and S3 do where everything goes well, and keeps nothing. The tests of the functions count the
same calls on the emulator.
"""

import hashlib
import json
import re
import socketserver
import ssl
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

_ITEM = {
    "name": {"S": "report.pdf"},
    "type": {"S": "application/pdf"},
    "size": {"N": "8"},
    "token_hash": {"S": "0" * 64},
    "created_at": {"S": "2026-01-01T00:00:00.000Z"},
    "url_expires_at": {"N": "1767229200"},
    "uploaded_at": {"S": "2026-01-01T00:00:01.000Z"},
    "stored_at": {"S": "2026-01-01T00:00:02.000Z"},
    "version_id": {"S": "v" * 32},
    "etag": {"S": "0" * 32},
}

IN_PARTS = "f" * 32
# An upload in parts that goes on, of 8 bytes in two parts, and this token.
_IN_PARTS = {
    name: value for name, value in _ITEM.items() if name not in ("uploaded_at", "stored_at", "version_id", "etag")
} | {
    "upload_id": {"S": "u" * 128},
    "part_size": {"N": "4"},
    "token_hash": {"S": hashlib.sha256(b"EXAMPLE-UPLOAD-TOKEN").hexdigest()},
}


_DUE_ITEM = _ITEM | {
    "deleted_at": {"S": "2026-01-01T00:00:02.000Z"},
    "deletion": {"S": "requested"},
    "url_expires_at": {"N": "1"},
    "sweep_at": {"N": "1"},
}
DUE = int(sys.argv[1]) if len(sys.argv) > 1 else 0
"""How many files are due, all of them deleted."""

_VERSIONS = """<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>
<Version><Key>{key}</Key><VersionId>v</VersionId><ETag>"0"</ETag><Size>8</Size></Version></ListVersionsResult>"""

_PARTS = """<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>
<Part><PartNumber>1</PartNumber><ETag>"0"</ETag><Size>4</Size></Part>
<Part><PartNumber>2</PartNumber><ETag>"1"</ETag><Size>4</Size></Part></ListPartsResult>"""
_UPLOADS = """<ListMultipartUploadsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>
</ListMultipartUploadsResult>"""
_COMPLETED = """<CompleteMultipartUploadResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><ETag>"0-1"</ETag>
</CompleteMultipartUploadResult>"""


class Aws(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # Headers and body go out in two writes: without this the second waits for the client's acknowledgement.
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """DynamoDB, and of S3 CompleteMultipartUpload and DeleteObjects."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        target = self.headers.get("X-Amz-Target")
        if target is None and "uploadId" in self.path:
            self._answer(_COMPLETED.encode(), "application/xml", {"x-amz-version-id": "v" * 32})
        elif target is None:
            self._answer(_deleted(body.decode()).encode(), "application/xml")
        else:
            answer = _ANSWERS[target.rpartition(".")[2]](json.loads(body))
            self._answer(json.dumps(answer).encode(), "application/x-amz-json-1.0")

    def do_HEAD(self) -> None:
        """S3's HeadObject."""
        self._answer(b"", "application/pdf")

    def do_GET(self) -> None:
        """S3's lists: one version of every object, two parts of an upload, no upload that is not finished."""
        query = parse_qs(urlsplit(self.path).query, keep_blank_values=True)
        listed = _PARTS if "uploadId" in query else _UPLOADS if "uploads" in query else _VERSIONS
        self._answer(listed.format(key=query.get("prefix", [""])[0]).encode(), "application/xml")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""

    def _answer(self, body: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(200)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _deleted(request: str) -> str:
    """All that was to be deleted is."""
    gone = re.findall(r"<Key>[^<]*</Key><VersionId>[^<]*</VersionId>", request)
    entries = "".join(f"<Deleted>{each}</Deleted>" for each in gone)
    return f'<DeleteResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{entries}</DeleteResult>'


def _nothing(_: Mapping[str, Any]) -> dict[str, Any]:
    return {}


def _statements(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"Responses": [_statement(each) for each in request["Statements"]]}


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    if "RETURNING ALL OLD" not in statement["Statement"]:
        return {"TableName": "files"}
    (file_id,) = {
        parameter["S"] for parameter in statement["Parameters"] if re.fullmatch(r"[0-9a-f]{32}", parameter.get("S", ""))
    }
    return {"TableName": "files", "Item": _item(file_id)}


def _item(file_id: str) -> dict[str, Any]:
    found = _IN_PARTS if file_id == IN_PARTS else _DUE_ITEM if DUE else _ITEM
    return {"id": {"S": file_id}, **found}


def _items(request: Mapping[str, Any]) -> dict[str, Any]:
    ((table, wanted),) = request["RequestItems"].items()
    return {"Responses": {table: [_item(key["id"]["S"]) for key in wanted["Keys"]]}, "UnprocessedKeys": {}}


def _query(request: Mapping[str, Any]) -> dict[str, Any]:
    return _due(request) if request["IndexName"] == "due" else _listed(request)


def _listed(request: Mapping[str, Any]) -> dict[str, Any]:
    """As many places in the list as are asked for."""
    shard = request["ExpressionAttributeValues"][":shard"]["S"]
    ids = [f"{shard}{number:031x}" for number in range(request["Limit"])]
    items = [
        {"id": {"S": each}, "list_shard": {"S": shard}, "list_place": {"S": f"2026-01-01T00:00:02.000Z#{each}"}}
        for each in ids
    ]
    return {"Items": items, "Count": len(items), "ScannedCount": len(items)}


def _due(request: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the index: this shard's files that are due."""
    shard = request["ExpressionAttributeValues"][":shard"]["S"]
    start = int(request.get("ExclusiveStartKey", {}).get("sweep_at", {"N": "0"})["N"])
    end = min(start + request["Limit"], DUE // 16)
    items = [{"id": {"S": f"{shard}{number:031x}"}, "sweep_at": {"N": "1"}} for number in range(start, end)]
    more = {"LastEvaluatedKey": {"sweep_at": {"N": str(end)}}} if end < DUE // 16 else {}
    return {"Items": items, "Count": len(items), "ScannedCount": len(items), **more}


_ANSWERS = {
    "PutItem": _nothing,
    "BatchExecuteStatement": _statements,
    "BatchGetItem": _items,
    "Query": _query,
}


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        connection, client = super().get_request()
        if self.tls is None:
            return connection, client
        # The handshake is left to the thread of the connection.
        return self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), client

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust this server is no error here."""
        if not isinstance(sys.exception(), ssl.SSLError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until standard input ends, on a free port that is the first line printed.

    Arguments: how many are due; a file with a private key and its certificate, to serve over TLS.
    """
    with _Server(("127.0.0.1", 0), Aws) as server:
        if len(sys.argv) > 2:
            server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.tls.load_cert_chain(sys.argv[2])
        print(server.server_address[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main()
