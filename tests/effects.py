"""What users of a stack rely on, each as a question: does it work? Each needs a right that one function has."""

import json
from contextlib import suppress

import requests

from tests.parts import crc64nvme, forget, put_together
from tests.sending import abandoned, begin, call, send
from tests.stack import Stack
from tests.support import UNKNOWN_ID, upload_event


def begins_an_upload(stack: Stack) -> bool:
    return stack.post_file({"name": "a"}).status_code == 200


def takes_an_upload(stack: Stack) -> bool:
    url = stack.post_file({"name": "a"}).json()["url"]
    return requests.put(url, data=b"x", timeout=60).status_code == 200


def undoes_an_upload(stack: Stack) -> bool:
    upload = stack.upload(size=8)
    return stack.undo(upload["id"], upload["token"]).status_code == 204


def undoes_an_upload_with_its_object(stack: Stack) -> bool:
    upload = stack.upload(size=8)
    recorded(stack, upload["id"])
    stack.undo(upload["id"], upload["token"])
    return stack.versions(upload["id"]) == []


def undoes_nothing_unknown(stack: Stack) -> bool:
    return stack.undo(UNKNOWN_ID, "token").status_code == 404


def stores_an_upload(stack: Stack) -> bool:
    return stack.files("PUT", [stack.upload()["id"]]).status_code == 200


def looks_for_an_upload_before_refusing_to_store_it(stack: Stack) -> bool:
    return stack.files("PUT", [stack.post_file({"name": "a"}).json()["id"]]).status_code == 200


def stores_nothing_unknown(stack: Stack) -> bool:
    return stack.files("PUT", [UNKNOWN_ID]).status_code == 200


def deletes_nothing_unknown(stack: Stack) -> bool:
    return stack.files("DELETE", [UNKNOWN_ID]).status_code == 200


def removes_an_object_without_a_record(stack: Stack) -> bool:
    stack.client("s3").put_object(Bucket=stack.outputs["StorageBucketName"], Key=UNKNOWN_ID, Body=b"x")
    return recorded(stack, UNKNOWN_ID) and stack.versions(UNKNOWN_ID) == []


def describes_a_file(stack: Stack) -> bool:
    return stack.files("POST", [stack.store()["id"]]).status_code == 200


def hands_out_a_download(stack: Stack) -> bool:
    (details,) = stack.files("POST", [stack.store()["id"]]).json()
    return requests.get(details["url"], timeout=60).status_code == 200


def shows_a_file(stack: Stack) -> bool:
    return stack.show(stack.store()["id"]).status_code == 200


def shows_a_download(stack: Stack) -> bool:
    return requests.get(stack.show(stack.store()["id"]).json()["url"], timeout=60).status_code == 200


def leads_to_contents(stack: Stack) -> bool:
    return stack.content(stack.store()["id"], allow_redirects=False).status_code == 302


def leads_to_a_download(stack: Stack) -> bool:
    return stack.content(stack.store()["id"]).status_code == 200


def renames_a_file(stack: Stack) -> bool:
    return stack.update(stack.store()["id"], {"name": "b"}).status_code == 200


def renames_nothing_unknown(stack: Stack) -> bool:
    return stack.update(UNKNOWN_ID, {"name": "b"}).status_code == 404


def hands_out_a_download_under_a_new_name(stack: Stack) -> bool:
    return requests.get(stack.update(stack.store()["id"], {"name": "b"}).json()["url"], timeout=60).status_code == 200


def lists_files(stack: Stack) -> bool:
    stack.store()
    return stack.page(limit="1").status_code == 200


def lists_a_download(stack: Stack) -> bool:
    stack.store()
    (newest,) = stack.page(limit="1").json()["files"]
    return requests.get(newest["url"], timeout=60).status_code == 200


def deletes_a_file(stack: Stack) -> bool:
    return stack.files("DELETE", [stack.store()["id"]]).status_code == 200


def deletes_a_file_with_its_object(stack: Stack) -> bool:
    file_id = stack.store()["id"]
    stack.files("DELETE", [file_id])
    return stack.versions(file_id) == []


def deletes_two_files_with_their_objects(stack: Stack) -> bool:
    ids = [stack.store()["id"], stack.store()["id"]]
    stack.files("DELETE", ids)
    return [stack.versions(file_id) for file_id in ids] == [[], []]


def records_an_upload(stack: Stack) -> bool:
    return recorded(stack, stack.upload()["id"])


def stores_an_upload_that_declared_no_type(stack: Stack) -> bool:
    file_id = stack.upload()["id"]
    return stack.files("PUT", [file_id]).status_code == 200


def adopts_an_upload_that_declared_no_type(stack: Stack) -> bool:
    file_id = stack.upload()["id"]
    stack.make_due(file_id)
    return finished(stack) and "uploaded_at" in (stack.record(file_id) or {})


def drops_a_second_upload(stack: Stack) -> bool:
    return drops(stack, "another")


def drops_a_second_and_a_third_upload(stack: Stack) -> bool:
    return drops(stack, "another", "one more")


def sweeps(stack: Stack) -> bool:
    return finished(stack)


def removes_what_nobody_stored(stack: Stack) -> bool:
    file_id = due_upload(stack)
    return finished(stack) and "deleted_at" in (stack.record(file_id) or {})


def removes_what_nobody_stored_with_its_object(stack: Stack) -> bool:
    file_id = due_upload(stack)
    return finished(stack) and stack.versions(file_id) == []


def removes_every_version_of_what_nobody_stored(stack: Stack) -> bool:
    upload = stack.upload()
    recorded(stack, upload["id"])
    stack.client("s3").put_object(Bucket=stack.outputs["StorageBucketName"], Key=upload["id"], Body=b"another")
    stack.make_due(upload["id"])
    return finished(stack) and stack.versions(upload["id"]) == []


def signs_a_part(stack: Stack) -> bool:
    upload = begin(stack, b"contents")
    return call(stack, "POST", upload, "parts", parts=[{"part_number": 1}]).status_code == 200


def signs_nothing_unknown(stack: Stack) -> bool:
    unknown = {"id": UNKNOWN_ID, "token": "token"}
    return call(stack, "POST", unknown, "parts", parts=[{"part_number": 1}]).status_code == 404


def takes_a_part(stack: Stack) -> bool:
    upload = begin(stack, b"contents")
    (part,) = call(stack, "POST", upload, "parts", parts=[{"part_number": 1}]).json()["parts"]
    return requests.put(part["url"], data=b"contents", headers=part["headers"], timeout=60).status_code == 200


def shows_parts(stack: Stack) -> bool:
    return call(stack, "GET", begin(stack, b"contents"), "parts").status_code == 200


def shows_that_an_upload_is_gone(stack: Stack) -> bool:
    upload = begin(stack, b"contents")
    forget(stack.client("s3"), stack.outputs["StorageBucketName"], upload["id"])
    return call(stack, "GET", upload, "parts").status_code == 409


def completes_an_upload(stack: Stack) -> bool:
    upload = begin(stack, b"contents")
    send(stack, upload, b"contents")
    return call(stack, "POST", upload, "complete").status_code == 200


def completes_nothing_that_is_gone(stack: Stack) -> bool:
    upload = begin(stack, b"contents")
    forget(stack.client("s3"), stack.outputs["StorageBucketName"], upload["id"])
    return call(stack, "POST", upload, "complete").status_code == 409


def tells_the_checksum_of_what_nobody_heard_of(stack: Stack) -> bool:
    upload = begin(stack, b"contents")
    send(stack, upload, b"contents")
    put_together(stack.client("s3"), stack.outputs["StorageBucketName"], upload["id"])
    call(stack, "POST", upload, "complete")
    return "checksum" in (stack.record(upload["id"]) or {})


def gives_up_what_has_another_checksum(stack: Stack) -> bool:
    upload = begin(stack, b"contents")
    send(stack, upload, b"contents")
    return call(stack, "POST", upload, "complete", checksum=crc64nvme(b"others")).status_code == 409 and not goes_on(
        stack, upload["id"]
    )


def undoes_an_upload_in_parts(stack: Stack) -> bool:
    upload = begin(stack, b"contents")
    stack.undo(upload["id"], upload["token"])
    return not goes_on(stack, upload["id"])


def ends_what_nobody_went_on_with(stack: Stack) -> bool:
    upload = abandoned(stack)
    return finished(stack) and not goes_on(stack, upload["id"])


def goes_on(stack: Stack, file_id: str) -> bool:
    """Whether S3 has anything of an upload in parts."""
    return "Uploads" in stack.client("s3").list_multipart_uploads(
        Bucket=stack.outputs["StorageBucketName"], Prefix=file_id
    )


def recorded(stack: Stack, file_id: str) -> bool:
    """Hand the function what S3 would say of every version of the object. Returns whether it took all of it."""
    listed = stack.client("s3").list_object_versions(Bucket=stack.outputs["StorageBucketName"], Prefix=file_id)
    oldest_first = listed["Versions"][::-1]
    event = upload_event(
        *({"key": file_id, "versionId": v["VersionId"], "size": v["Size"], "eTag": v["ETag"]} for v in oldest_first)
    )
    answer = stack.client("lambda").invoke(
        FunctionName=stack.outputs["Functions"]["UploadedFunction"], Payload=json.dumps(event)
    )
    return "FunctionError" not in answer and json.loads(answer["Payload"].read()) == {"batchItemFailures": []}


def drops(stack: Stack, *contents: str) -> bool:
    """Whether uploads after the first go away, all in one batch."""
    upload = stack.store()
    for each in contents:
        requests.put(upload["url"], data=each, timeout=60)
    recorded(stack, upload["id"])
    return len(stack.versions(upload["id"])) == 1


def due_upload(stack: Stack) -> str:
    """An upload that nobody has stored, and whose time is over."""
    file_id = str(stack.upload()["id"])
    recorded(stack, file_id)
    stack.make_due(file_id)
    return file_id


def finished(stack: Stack) -> bool:
    with suppress(AssertionError):
        return bool(stack.sweep()["finished"])
    return False
