"""A stack with PublicUpload=False, and KeyIsolation=True: a back end asks for uploads, and its page brings them."""

import requests

from tests.stack import Stack


def test_strangers_get_no_upload(closed_stack: Stack) -> None:
    for headers in ({}, {"x-api-key": "guessed"}):
        reply = closed_stack.post_file({"name": "a"}, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (403, "forbidden")
        assert reply.headers["Access-Control-Allow-Origin"] == "*"


def test_a_back_end_asks_and_its_page_brings_the_bytes_and_may_take_them_back(closed_stack: Stack) -> None:
    upload = closed_stack.post_file({"name": "a", "size": 8}, headers=closed_stack.key).json()
    sent = requests.put(upload["url"], data=b"contents", headers=upload["headers"], timeout=60)
    assert sent.status_code == 200
    assert closed_stack.undo(upload["id"], upload["token"]).status_code == 204


def test_generators_of_clients_find_the_contract_beside_the_page(closed_stack: Stack) -> None:
    contract = requests.get(f"{closed_stack.outputs['WebUrl']}openapi.json", timeout=60).json()
    assert contract["servers"] == [{"url": closed_stack.outputs["ApiRootUrl"]}]
    assert contract["paths"]["/files/{id}/content"]["get"]["operationId"] == "content"


def test_the_demos_back_end_does_so_for_its_page(closed_stack: Stack) -> None:
    site = closed_stack.outputs["WebUrl"]
    config = requests.get(f"{site}config.json", timeout=60).json()
    root, own = config["uploadRootUrl"], {"Origin": site.rstrip("/")}
    assert root == f"{site}backend"
    reply = requests.post(f"{root}/file", json={"name": "a", "size": 8}, headers=own, timeout=60)
    assert (reply.status_code, reply.headers["Content-Type"]) == (200, "application/json")
    upload = reply.json()
    sent = requests.put(upload["url"], data=b"contents", headers=upload["headers"], timeout=60)
    assert sent.status_code == 200
    undo = f"{root}/file/{upload['id']}"
    assert requests.delete(undo, headers=own | {"x-upload-token": "x"}, timeout=60).status_code == 403
    assert requests.delete(undo, headers=own | {"x-upload-token": upload["token"]}, timeout=60).status_code == 204
    elsewhere = {"Origin": "https://example.org"}
    assert requests.post(f"{root}/file", json={"name": "a"}, headers=elsewhere, timeout=60).status_code == 403


def test_the_demos_back_end_hands_on_a_large_file_part_by_part(closed_stack: Stack) -> None:
    site = closed_stack.outputs["WebUrl"]
    root, own = f"{site}backend/file", {"Origin": site.rstrip("/")}
    upload = requests.post(root, json={"name": "a", "size": 8, "multipart": True}, headers=own, timeout=60).json()
    of_upload, token = f"{root}/{upload['id']}", own | {"x-upload-token": upload["token"]}
    wanted = {"parts": [{"part_number": 1}]}
    (part,) = requests.post(f"{of_upload}/parts", json=wanted, headers=token, timeout=60).json()["parts"]
    assert requests.put(part["url"], data=b"contents", headers=part["headers"], timeout=60).status_code == 200
    listed = requests.get(f"{of_upload}/parts", headers=token, timeout=60).json()
    assert [each["part_number"] for each in listed["parts"]] == [1]
    stranger = own | {"x-upload-token": "x"}
    reply = requests.post(f"{of_upload}/complete", json={}, headers=stranger, timeout=60)
    assert reply.status_code == 403, reply.text
    assert requests.post(f"{of_upload}/complete", json={}, headers=token, timeout=60).json() == {"id": upload["id"]}
    assert closed_stack.files("PUT", [upload["id"]]).json() == [upload["id"]]
    assert closed_stack.download(upload["id"]) == b"contents"
