"""Hostile input, by the handlers' front door: requests as API Gateway would hand them over if it checked nothing."""

import base64
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests import support
from tests.proof.proving import Proving
from tests.proof.vocabulary import Violation

_TEXTS = (
    "", " ", "a", "report.pdf", "../../etc/passwd", "C:\\x\\y.txt", 'a"b', "a\r\nSet-Cookie: x=1", "\x00", "\x7f", "ü",
    "日本語", "👩‍👩‍👧", "\u202egpj.exe", "\ufeff", "\ud800", "%0d%0a", "{{7*7}}", "' OR 1=1 --", "x" * 255, "x" * 256,
    "x" * 70_000, "0" * 32, "f" * 32, "F" * 32, "0" * 31 + "\n", "yes", "no", "null", "name", "size", "meta",
    "checksum", "SHA256", "CRC32", "AAAAAA==", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", "text/plain",
    "a/b;c=d\r\n", "\ufdfa" * 255, "😀" * 191, '"' * 255, "\x00" * 512, "\uff0e\uff0e\uff0fx", "\u2100", "CON",
    "\u2066", "5tr4ng3r", '5tr4ng3r\n{"level":"INFO","message":"5tr4ng3r"}', "\x1b[2J5tr4ng3r", "5tr4ng3r" * 30,
    "Event", "s3:TestEvent", "Records", "s3", "object", "key", "versionId", "eTag",
)  # fmt: skip
_NUMBERS = (0, 1, -1, 8, 2**31, 2**63, 10**40, 5368709120, 5368709121, 0.5, -0.0, 1e308, float("inf"), float("nan"))
_BAD_JSON = (
    "",
    "{",
    "[",
    "nul",
    "NaN",
    "[1,]",
    "{'a':1}",
    "\ufeff[]",
    "[" * 50_000,
    '{"a":' * 20_000,
    "1" * 5_000,
    '"\\u"',
)
_ENDPOINTS = (
    "upload", "sign", "parts", "complete", "store", "info", "list", "show", "content", "update", "delete", "undo",
)  # fmt: skip
_SECRET = re.compile(r"X-Amz-Signature|X-Amz-Credential|AWS4-HMAC|Authorization|5tr4ng3r", re.IGNORECASE)
# What each octet of a name or of meta costs most in: JSON, JSON in JSON, a URL, a header.
_DEAR = (
    "\x00", '"', "\\", "é", "日", "\ufdfa", "😀", " ", ";", ".", "\uff0e", "\uff0f", "\u2100", "\u202e", "\u200d",
    "5tr4ng3r",
)  # fmt: skip
_MISLEADING = re.compile(r"^[. ]|[/\\\x00-\x1f\u202a-\u202e\u2066-\u2069]|[. ]$")


class Fuzz:
    """Calls handlers with whatever comes to mind, in one world, and sees that nothing gets through."""

    def __init__(self, proof: Proving, number: int) -> None:
        self._proof = proof
        self._random = random.Random(number)
        self._world = proof.world()
        self._tokens: list[str] = []
        self._known: list[str] = []
        self._stored: list[str] = []
        self.statuses: Counter[str] = Counter()
        self.lives: Counter[int] = Counter()
        self.fullest = 0

    def run(self, count: int) -> None:
        """So many calls. Raises Violation, or whatever a handler lets through."""
        for number in range(count):
            self._world.run_freely(self._one)
            if number % 50 == 0:
                self._world.run_freely(self._one_whole_life)
                self._check_log()
        self._check_log()

    def _one(self) -> None:
        choose = self._random.random()
        if choose < 0.15:
            self._event()
            return
        operation = self._random.choice(_ENDPOINTS)
        event = support.sample_event(operation)
        for mutate in self._random.sample(
            [self._body, self._body, self._headers, self._query, self._path], self._random.randint(1, 3)
        ):
            mutate(event, operation)
        records = set(self._world.memory.items)
        answer = support.invoke(operation, event)
        status = answer["statusCode"]
        self.statuses[f"{operation} {status}"] += 1
        if status >= 500 or not status >= 200:
            raise Violation(f"I10: {operation} answered {answer} to {event}")
        body = json.loads(answer["body"] or "null")
        if status >= 400 and not {"message", "code"} <= body.keys():
            raise Violation(f"I10: {operation} answered {answer}")
        # With a key that came before it is the record of then.
        issued = operation == "upload" and status == 200
        if set(self._world.memory.items) != records | ({body["id"]} if issued else set()):
            raise Violation(f"I3: {operation} made {len(self._world.memory.items) - len(records)} records of {event}")
        if issued:
            self._known = [*self._known[-50:], body["id"]]
            self._tokens += [body["token"]] if "token" in body else []

    def _one_whole_life(self) -> None:
        """A file with as dear a name and meta as one may have, up to the link to download it among a hundred others."""
        meta = {
            f"{self._random.choice(_DEAR)}{number}": self._dear(60) for number in range(self._random.choice([0, 1, 50]))
        }
        asked = support.call("upload", {"name": self._dear(255), "type": "text/plain", "meta": meta, "size": 1})
        self.lives[asked.status] += 1
        if asked.status == 400:
            return
        put = self._world.memory.put(asked.body["id"], b"x")
        upload = {"key": asked.body["id"], "versionId": put.id, "size": 1, "eTag": "x"}
        support.invoke("uploaded", support.upload_event(upload))
        support.call("store", [asked.body["id"]])
        self._stored = [*self._stored[-99:], asked.body["id"]]
        if self._random.random() < 0.95:
            # As older releases took it: a hundred of them are more than one answer holds.
            older = {str(number): {"S": '"' * 320} for number in range(50)}
            self._world.memory.items[asked.body["id"]]["meta"] = {"M": older}
        described = support.call("info", self._stored, query={"problems": "yes"}).body
        if [each["id"] for each in described["result"]] + list(described["problems"]) != self._stored:
            raise Violation("an answer that was full does not say what it leaves out")
        self.fullest = max(self.fullest, len(described["problems"]))
        (details,) = support.call("info", [asked.body["id"]]).body
        if len(details["url"]) > 7_192:
            raise Violation(f"a URL of {len(details['url'])} characters")
        said = parse_qs(urlsplit(details["url"]).query)
        if sum(name.startswith("response-") for name in said) != 6:
            raise Violation("a download has headers that came along with the upload")
        (disposition,) = said["response-content-disposition"]
        found = re.fullmatch(r"attachment; filename=\"([ -~]*)\"; filename\*=UTF-8''([!-~]+)", disposition)
        if not found or any(_MISLEADING.search(name) or not name for name in (found[1], unquote(found[2]))):
            raise Violation(f"a name went through the header: {disposition!r}")
        token = asked.body["token"]
        support.call("undo", file_id=asked.body["id"], headers={"x-upload-token": token})
        self._tokens.append(token)

    def _dear(self, longest: int) -> str:
        drawn = "".join(self._random.choices(_DEAR, k=self._random.choice([1, 3, longest])))
        return self._random.choice([drawn, self._random.choice(_DEAR) * self._random.choice([1, 191, 255])])[:longest]

    def _event(self) -> None:
        """Messages that S3 would not write, one that it would among them: only they may fail."""
        event = support.upload_event({"key": "0" * 32, "versionId": "v", "size": 1, "eTag": "e"})
        junk = [self._random.choice(_BAD_JSON), json.dumps(self._value(4))]
        record = json.loads(event["Records"][0]["body"])["Records"][0]
        for _ in range(3):
            mutated = json.loads(json.dumps(record))
            mutated["s3"]["object"][self._random.choice(["key", "versionId", "size", "eTag"])] = self._value(2)
            junk.append(json.dumps({"Records": [mutated]}))
        event["Records"] += [{"messageId": f"junk-{number}", "body": body} for number, body in enumerate(junk)]
        failed = {failure["itemIdentifier"] for failure in support.invoke("uploaded", event)["batchItemFailures"]}
        self.statuses["uploaded"] += 1
        if "message-0" in failed:
            raise Violation(f"a good message failed beside {junk}")

    def _check_log(self) -> None:
        said = "".join(self._proof.log)
        self._proof.log.clear()
        secrets = [token for token in self._tokens if token in said]
        if secrets or _SECRET.search(said):
            raise Violation("I11: a token, a signature or a stranger's text in the log")
        self._tokens.clear()

    # ---------------------------------------------------------- mutations

    def _text(self) -> str:
        if self._known and self._random.random() < 0.3:
            return self._random.choice(self._known)
        return self._random.choice(_TEXTS)

    def _value(self, depth: int) -> Any:
        kinds: list[Callable[[], Any]] = [
            self._text,
            lambda: self._random.choice(_NUMBERS),
            lambda: self._random.choice([None, True, False]),
        ]
        if depth:
            kinds += [
                lambda: [self._value(depth - 1) for _ in range(self._random.choice([0, 1, 3]))],
                lambda: {self._text(): self._value(depth - 1) for _ in range(self._random.choice([0, 1, 3]))},
            ]
        return self._random.choice(kinds)()

    def _body(self, event: dict[str, Any], operation: str) -> None:
        kind = self._random.randrange(5)
        if kind == 0:
            event["body"] = self._random.choice(_BAD_JSON)
        elif kind == 1:
            event["body"] = json.dumps(self._value(3))
        elif operation == "upload":
            body: dict[str, Any] = {"name": self._text()}
            for name in self._random.sample(
                ["size", "type", "checksum", "meta", "multipart", "more"], self._random.randrange(4)
            ):
                body[name] = self._value(2)
            event["body"] = json.dumps(body)
        elif operation in ("sign", "complete"):
            known = {"part_number": 1, "checksum": self._text()}
            event["body"] = json.dumps({self._text(): self._value(2), "parts": [known, self._value(2)]})
        else:
            event["body"] = json.dumps([self._text() for _ in range(self._random.choice([1, 2, 10, 100, 150]))])
        if self._random.random() < 0.1:
            event["isBase64Encoded"] = True
            if self._random.random() < 0.5:
                event["body"] = base64.b64encode((event["body"] or "").encode(errors="surrogatepass")).decode()

    def _headers(self, event: dict[str, Any], _: str) -> None:
        names = ["Idempotency-Key", "x-upload-token", "Origin", "Content-Type", "X-Upload-Token", "x-api-key"]
        event["requestContext"]["requestId"] = self._text()
        event["headers"] = self._random.choice([None, {}, {self._random.choice(names): self._text() for _ in range(3)}])

    def _query(self, event: dict[str, Any], _: str) -> None:
        names = ["problems", "deleted", "nonstored", "limit", "cursor", "order", "x"]
        event["queryStringParameters"] = self._random.choice([None, {}, {self._random.choice(names): self._text()}])

    def _path(self, event: dict[str, Any], _: str) -> None:
        event["pathParameters"] = self._random.choice([None, {}, {"id": self._text()}])
