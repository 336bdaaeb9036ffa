"""What may go wrong at a call of AWS, and how AWS answers then."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from tests.proof.memory import Memory

FAULTS = {
    "never": "the call never happened: there was no connection",
    "lost": "the call happened, the answer was lost",
    "retried": "the call happened twice: the SDK repeated it",
    "throttled": "AWS throttled the call",
    "throttled for long": "AWS throttled this call and all that followed",
    "partial": "a part of the batch was throttled",
    "failed in part": "a part of the batch was done and answered with an error",
    "partial for long": "a part of this batch and of all that followed was throttled",
    "died before": "the function died before the call",
    "died after": "the function died after the call",
    "stale": "the index lagged behind the table",
    "undeletable": "S3 deleted nothing, and said so",
    "throttled deletion": "S3 throttled the deletion of all",
    "unconfirmed": "S3 deleted a part, and said nothing of the rest",
    "part on its way": "S3 aborted an upload, and a part arrived all the same",
    "unlistable": "S3 throttled the lists of versions",
    "cut off": "S3 cut the lists of versions off, and named no next page",
    "silent": "refused statements brought no record",
    "elsewhere": "refused statements brought their records beside the errors",
    "untold": "statements that were applied brought no record",
    "denied": "statements were refused for another reason than their condition",
}
_CONCERNS = {
    "stale": "Query",
    "undeletable": "DeleteObjects",
    "throttled deletion": "DeleteObjects",
    "unconfirmed": "DeleteObjects",
    "part on its way": "AbortMultipartUpload",
    "unlistable": "ListObjectVersions",
    "cut off": "ListObjectVersions",
    "silent": "BatchExecuteStatement",
    "elsewhere": "BatchExecuteStatement",
    "untold": "BatchExecuteStatement",
    "denied": "BatchExecuteStatement",
}


_OF_UPLOADS = (
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CreateMultipartUpload",
    "ListMultipartUploads",
    "ListParts",
)
# As S3 says it.
_BUSY = dict.fromkeys(("ListObjectVersions", "DeleteObjects", *_OF_UPLOADS), "SlowDown") | {"HeadObject": "503"}


class Died(BaseException):
    """The function's process ended here; no handler can catch it."""


@dataclass(frozen=True)
class Fault:
    """A fault at the ``call``-th AWS call of an operation; ``part`` says which entries of a batch it concerns."""

    kind: str
    call: int = 0
    part: int = 0

    def is_at(self, number: int, operation: str) -> bool:
        """Whether it concerns this call, the ``number``-th of an operation."""
        if self.kind in _CONCERNS:
            return operation == _CONCERNS[self.kind]
        return self.call == number or (self.kind.endswith("for long") and number > self.call)


def answer(memory: Memory, name: str, parameters: Mapping[str, Any], fault: Fault | None) -> dict[str, Any]:
    """What AWS answers to a call, with this fault. Raises botocore's errors, and Died."""
    kind = fault.kind if fault else ""
    if kind == "never":
        raise EndpointConnectionError(endpoint_url="memory")
    if kind == "died before":
        raise Died
    if kind.startswith("throttled") or kind == "unlistable":
        code = _BUSY.get(name, "ThrottlingException")
        status, said = 400, {"Error": {"Code": code, "Message": "slow down"}}
    elif fault and kind.startswith(("partial", "failed in part", "undeletable", "denied", "unconfirmed")):
        status, said = _partly(memory, name, parameters, fault)
    else:
        if name == "Query" and kind != "stale":
            memory.refresh_indexes()
        memory.multiparts.keeps_a_part = kind == "part on its way"
        status, said = memory.call(name, parameters)
        memory.multiparts.keeps_a_part = False
    if kind == "lost":
        raise ReadTimeoutError(endpoint_url="memory")
    if kind == "died after":
        raise Died
    if status >= HTTPStatus.BAD_REQUEST:
        raise ClientError(cast("Any", said), name)
    return _otherwise(kind, said)


def _partly(memory: Memory, name: str, parameters: Mapping[str, Any], fault: Fault) -> tuple[int, dict[str, Any]]:
    def concerned(number: int) -> bool:
        return fault.part >> number % 4 & 1 == 0

    match name:
        case "BatchExecuteStatement":
            responses = []
            denied = fault.kind == "denied"
            code = {"denied": "AccessDenied", "failed in part": "InternalServerError"}.get(
                fault.kind, "ThrottlingError"
            )
            for number, statement in enumerate(parameters["Statements"]):
                failed = concerned(number) or (denied and number == 0)
                executed = not failed or fault.kind == "failed in part"
                answer = memory.call(name, {"Statements": [statement]})[1]["Responses"][0] if executed else {}
                responses.append({"Error": {"Code": code, "Message": "busy"}} if failed else answer)
            return 200, {"Responses": responses}
        case "BatchGetItem":
            ((table, wanted),) = parameters["RequestItems"].items()
            left = [key for number, key in enumerate(wanted["Keys"]) if concerned(number)]
            rest = [key for key in wanted["Keys"] if key not in left]
            status, answer = 200, {"Responses": {table: []}}
            if rest:
                status, answer = memory.call(name, {"RequestItems": {table: {**wanted, "Keys": rest}}})
            return status, answer | {"UnprocessedKeys": {table: {"Keys": left}} if left else {}}
        case "DeleteObjects":
            objects = parameters["Delete"]["Objects"]
            left = [each for number, each in enumerate(objects) if concerned(number)]
            done = objects if fault.kind == "failed in part" else [each for each in objects if each not in left]
            answer = memory.call(name, {"Delete": {"Objects": done}})[1] if done else {}
            deleted = [each for each in answer.get("Deleted", []) if each not in left]
            return 200, {
                "Deleted": deleted,
                "Errors": [{"Key": each["Key"], "Code": "InternalError"} for each in left],
            }
    return 503, {"Error": {"Code": "ServiceUnavailable", "Message": "busy"}}


def _otherwise(kind: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer that does not say what one would expect of it."""
    match kind:
        case "silent" | "elsewhere":
            responses = []
            for response in answer["Responses"]:
                error = dict(response.get("Error", {}))
                item = {"Item": error.pop("Item")} if "Item" in error and kind == "elsewhere" else {}
                error.pop("Item", None)
                responses.append({**response, **item, "Error": error} if error else response)
            return {**answer, "Responses": responses}
        case "untold":
            told = [{k: v for k, v in response.items() if k != "Item"} for response in answer["Responses"]]
            return {**answer, "Responses": told}
        case "unconfirmed":
            return {**answer, "Errors": []}
        case "cut off":
            return {"IsTruncated": True, "Versions": []}
    return dict(answer)
