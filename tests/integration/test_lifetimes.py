"""What ends by itself on the deployed stack, and what is stored as it arrives."""

import time

import requests

from tests.stack import Stack
from tests.support import UNKNOWN_ID


class TestExpiry:
    def test_an_upload_that_nobody_stores_is_gone_after_its_lifetime(self, hasty_stack: Stack) -> None:
        upload = hasty_stack.upload()
        hasty_stack.seen(upload["id"])
        time.sleep(2.1)
        hasty_stack.sweep()
        assert hasty_stack.versions(upload["id"]) == []
        body = hasty_stack.files("PUT", [upload["id"]], "?problems=yes").json()
        assert body["problems"][upload["id"]]["code"] == "expired"

    def test_an_upload_url_dies(self, hasty_stack: Stack) -> None:
        url = hasty_stack.post_file({"name": "a"}).json()["url"]
        time.sleep(3.1)
        assert requests.put(url, data=b"x", timeout=60).status_code == 403

    def test_a_stored_file_is_never_swept(self, hasty_stack: Stack) -> None:
        upload = hasty_stack.store()
        time.sleep(2.1)
        hasty_stack.sweep()
        assert hasty_stack.download(upload["id"]) == b"contents"

    def test_a_request_that_was_never_used_is_gone_after_the_margin(self, hasty_stack: Stack) -> None:
        """The margin is a minute, so the record is moved back instead of waiting for it."""
        file_id = hasty_stack.post_file({"name": "a"}).json()["id"]
        hasty_stack.sweep()
        assert hasty_stack.record(file_id)
        hasty_stack.client("dynamodb").update_item(
            TableName=hasty_stack.outputs["TableName"],
            Key={"id": {"S": file_id}},
            UpdateExpression="SET sweep_at = sweep_at - :hour, url_expires_at = url_expires_at - :hour",
            ExpressionAttributeValues={":hour": {"N": "3600"}},
        )
        assert hasty_stack.sweep()["pending_removed"] >= 1
        assert hasty_stack.record(file_id) is None

    def test_a_second_sweep_has_nothing_to_do(self, hasty_stack: Stack) -> None:
        hasty_stack.sweep()
        assert hasty_stack.sweep() == {
            "expired": 0,
            "deletions_finished": 0,
            "adopted": 0,
            "pending_removed": 0,
            "versions_removed": 0,
            "multipart_uploads_aborted": 0,
            "finished": True,
        }


class TestStoreOnLoad:
    def test_files_are_stored_as_they_arrive(self, storing_stack: Stack) -> None:
        upload = storing_stack.upload()
        assert "stored_at" in storing_stack.seen(upload["id"])
        assert storing_stack.download(upload["id"]) == b"contents"

    def test_there_is_nothing_to_store_by_hand(self, storing_stack: Stack) -> None:
        reply = storing_stack.files("PUT", [UNKNOWN_ID])
        assert reply.status_code == 400
        assert reply.json()["message"] == "Configured to store files at the time of upload. There is nothing to do."

    def test_an_upload_can_be_taken_back_for_a_while(self, storing_stack: Stack) -> None:
        upload = storing_stack.upload(size=8)
        storing_stack.seen(upload["id"])
        assert storing_stack.undo(upload["id"], upload["token"]).status_code == 204
        assert storing_stack.versions(upload["id"]) == []
