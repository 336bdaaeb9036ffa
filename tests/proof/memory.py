"""DynamoDB and S3 in memory: exactly the calls that the functions make, and nothing else.

A schedule of the proof makes a hundred calls and more, and there are thousands of schedules, so they cannot go to an
emulator of their own over HTTP. ``test_memory.py`` holds this against the emulator, call by call.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.proof import statements
from tests.proof.indexes import INDEXES, Index, Item
from tests.proof.multiparts import MultipartCalls
from tests.proof.statements import Statement


@dataclass(frozen=True)
class Version:
    id: str
    body: bytes
    type: str = ""


@dataclass
class Memory:
    """The state, and the calls by their names.

    ``on_write`` hears of every change of a record as it happens, ``on_delete`` of every object version just before it
    is gone. ``indexed`` is the table as its ``indexes`` have it, which lag behind.
    """

    items: dict[str, Item] = field(default_factory=dict)
    objects: dict[str, list[Version]] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=lambda: INDEXES)
    indexed: dict[str, Item] = field(default_factory=dict)
    on_write: Callable[[str, Item | None, Item | None], None] = lambda *_: None
    on_delete: Callable[[str, Version], None] = lambda *_: None
    may_be_unversioned: bool = True
    page: int = 1
    markers: int = 0
    _puts: int = 0

    def __post_init__(self) -> None:
        """Uploads in parts end as object versions."""
        self.multiparts = MultipartCalls(lambda *put: self.put(*put).id)

    def put(self, key: str, body: bytes, content_type: str = "") -> Version:
        """An upload, as S3 takes it from a browser, which calls it so."""
        self._puts += 1
        # What S3 calls it where nobody does (PutObject, Amazon S3 API reference).
        content_type = content_type or "binary/octet-stream"
        version = Version(self.new_version_id(key, body, content_type), body, content_type)
        self.objects.setdefault(key, []).append(version)
        return version

    def send(self, upload_id: str, number: int, contents: bytes) -> bool:
        """A part of an upload that a browser sends. Returns whether S3 takes it: of one that is over it does not."""
        return self.multiparts.send(upload_id, number, contents)

    def put_unversioned(self, key: str, body: bytes) -> Version:
        """An upload while the bucket is not versioned yet: it takes the place of another such."""
        version = Version("null", body)
        self.objects[key] = [each for each in self.objects.get(key, []) if each.id != version.id] + [version]
        return version

    def new_version_id(self, key: str, body: bytes, content_type: str) -> str:
        """What the bucket calls it."""
        del key, body, content_type
        return f"version-{self._puts}"

    def read(self, key: str, version_id: str) -> bytes | None:
        """A download, None where there is nothing any more."""
        return next((version.body for version in self.objects.get(key, []) if version.id == version_id), None)

    def versions(self) -> set[tuple[str, str]]:
        """Every object version in the bucket."""
        return {(key, version.id) for key, versions in self.objects.items() for version in versions}

    def purge(self, file_id: str) -> None:
        """DynamoDB's TTL drops a record."""
        self.write(file_id, None)

    def refresh_indexes(self) -> None:
        """Have the indexes catch up with the table."""
        self.indexed = dict(self.items)

    def call(self, operation: str, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and parsed answer of an AWS call."""
        answer: tuple[int, dict[str, Any]] = getattr(self, f"_{_snake(operation)}")(parameters)
        return answer

    def write(self, file_id: str, item: Item | None) -> None:
        """Change a record."""
        before = self.items.get(file_id)
        if before == item:
            return
        if item is None:
            self.items.pop(file_id)
        else:
            self.items[file_id] = item
        self.on_write(file_id, before, item)

    # ------------------------------------------------------------- DynamoDB

    def _put_item(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        item = parameters["Item"]
        existing = self.items.get(item["id"]["S"])
        values = parameters.get("ExpressionAttributeValues", {})

        def holds(condition: str) -> bool:
            absent = re.fullmatch(r"attribute_not_exists\((\w+)\)", condition)
            if absent:
                return existing is None or absent[1] not in existing
            name, value = condition.split(" = ")
            return existing is not None and existing.get(name) == values[value]

        condition = parameters.get("ConditionExpression")
        if condition is not None and not any(holds(part) for part in condition.split(" OR ")):
            told = parameters.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            return 400, {
                "Error": {"Code": "ConditionalCheckFailedException", "Message": "The conditional request failed"},
                **({"Item": dict(existing)} if told and existing else {}),
            }
        self.write(item["id"]["S"], dict(item))
        return 200, {}

    def _batch_get_item(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        ((table, wanted),) = parameters["RequestItems"].items()
        assert wanted["ConsistentRead"] is True
        assert len({key["id"]["S"] for key in wanted["Keys"]}) == len(wanted["Keys"]) <= 100, (
            "each key once, at most 100"
        )
        found = [dict(self.items[key["id"]["S"]]) for key in wanted["Keys"] if key["id"]["S"] in self.items]
        return 200, {"Responses": {table: found}, "UnprocessedKeys": {}}

    def _query(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        index = self.indexes[parameters["IndexName"]]
        return 200, index.query(self.indexed.values(), parameters, self.page)

    def _batch_execute_statement(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        asked = parameters["Statements"]
        assert len(asked) <= 25, "BatchExecuteStatement takes 25 statements"
        parsed = [statements.parse(each["Statement"], each["Parameters"]) for each in asked]
        assert len({statement.file_id for statement in parsed}) == len(parsed), "each statement has an item of its own"
        return 200, {
            "Responses": [
                self._execute(statement, each.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD")
                for statement, each in zip(parsed, asked, strict=True)
            ]
        }

    def _execute(self, statement: Statement, tells_refused: bool) -> dict[str, Any]:
        before = self.items.get(statement.file_id)
        if before is None and statement.deletes:
            return {"TableName": "files"}
        if before is None or not statement.holds(before):
            failure = {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}
            if before is None or not tells_refused:
                return {"Error": failure, "TableName": "files"}
            return {"Error": {**failure, "Item": dict(before)}, "TableName": "files"}
        self.write(statement.file_id, statement.applied(before))
        return {"TableName": "files", **({"Item": dict(before)} if statement.returns_old else {})}

    # ------------------------------------------------------------------- S3

    def _list_object_versions(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        listed = [
            {"Key": key, "VersionId": version.id, "Size": len(version.body), "ETag": '"etag"'}
            for key in sorted(self.objects)
            if key.startswith(parameters["Prefix"])
            for version in reversed(self.objects[key])
        ]
        marker = (parameters.get("KeyMarker"), parameters.get("VersionIdMarker"))
        start = next(
            (number + 1 for number, each in enumerate(listed) if (each["Key"], each["VersionId"]) == marker), 0
        )
        page = listed[start : start + self.page]
        answer: dict[str, Any] = {"IsTruncated": start + self.page < len(listed), "Versions": page}
        if answer["IsTruncated"]:
            answer |= {"NextKeyMarker": page[-1]["Key"], "NextVersionIdMarker": page[-1]["VersionId"]}
        return 200, answer

    def _head_object(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        for version in self.objects.get(parameters["Key"], []):
            if version.id == parameters["VersionId"]:
                answer = {"ContentType": version.type, "ContentLength": len(version.body)}
                if parameters.get("ChecksumMode") == "ENABLED":
                    answer |= self.multiparts.checksum_of(version.id)
                return 200, answer
        return 404, {"Error": {"Code": "404", "Message": "Not Found"}}

    def _create_multipart_upload(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.multiparts.create(parameters, self.new_upload_id(parameters))

    def new_upload_id(self, parameters: Mapping[str, Any]) -> str:
        """What S3 calls an upload in parts."""
        del parameters
        self.multiparts.begun += 1
        return f"upload-{self.multiparts.begun}"

    def _list_parts(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.multiparts.list_parts(parameters, self.page)

    def _complete_multipart_upload(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.multiparts.complete(parameters)

    def _abort_multipart_upload(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.multiparts.abort(parameters)

    def _list_multipart_uploads(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.multiparts.list_uploads(parameters, self.page)

    def _delete_objects(self, parameters: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        objects: Sequence[Mapping[str, str]] = parameters["Delete"]["Objects"]
        assert 1 <= len(objects) <= 1000, "DeleteObjects takes 1000 keys"
        for identifier in objects:
            key = identifier["Key"]
            if "VersionId" not in identifier:
                self.markers += 1
                continue
            versions = self.objects.get(key, [])
            for version in versions:
                if version.id == identifier["VersionId"]:
                    self.on_delete(key, version)
            kept = [version for version in versions if version.id != identifier["VersionId"]]
            if kept:
                self.objects[key] = kept
            else:
                self.objects.pop(key, None)
        return 200, {"Deleted": [dict(identifier) for identifier in objects]}


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
