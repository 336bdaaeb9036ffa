"""Every right is needed: with any one of them taken away, something that users rely on fails."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from local import deployment_patches
from tests import effects
from tests.rights import ALLOWED, NOT_ENFORCED
from tests.stack import Stack, eventually


@pytest.fixture(scope="module")
def strict_stack(start_stack: Callable[..., Stack]) -> Stack:
    """A stack of its own: for moments its functions lack rights. S3's events are handed over by the tests alone."""
    stack = start_stack()
    lambda_ = stack.client("lambda")
    (mapping,) = lambda_.list_event_source_mappings()["EventSourceMappings"]
    lambda_.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    eventually(lambda: lambda_.get_event_source_mapping(UUID=mapping["UUID"])["State"] == "Disabled")
    return stack


NEEDED: dict[tuple[str, str], Callable[[Stack], bool]] = {
    ("Upload", "dynamodb:PutItem"): effects.begins_an_upload,
    ("Upload", "s3:PutObject"): effects.takes_an_upload,
    ("Sign", "dynamodb:BatchGetItem"): effects.signs_nothing_unknown,
    ("Sign", "dynamodb:PartiQLUpdate"): effects.signs_a_part,
    ("Sign", "s3:PutObject"): effects.takes_a_part,
    ("Parts", "dynamodb:BatchGetItem"): effects.shows_parts,
    ("Parts", "s3:ListBucketVersions"): effects.shows_that_an_upload_is_gone,
    ("Parts", "s3:ListMultipartUploadParts"): effects.shows_parts,
    ("Complete", "dynamodb:BatchGetItem"): effects.completes_an_upload,
    ("Complete", "dynamodb:PartiQLUpdate"): effects.completes_an_upload,
    ("Complete", "s3:ListBucketVersions"): effects.completes_nothing_that_is_gone,
    ("Complete", "s3:AbortMultipartUpload"): effects.gives_up_what_has_another_checksum,
    ("Complete", "s3:GetObjectVersion"): effects.tells_the_checksum_of_what_nobody_heard_of,
    ("Complete", "s3:ListMultipartUploadParts"): effects.completes_an_upload,
    ("Complete", "s3:PutObject"): effects.completes_an_upload,
    ("Undo", "dynamodb:BatchGetItem"): effects.undoes_nothing_unknown,
    ("Undo", "dynamodb:PartiQLUpdate"): effects.undoes_an_upload,
    ("Undo", "s3:AbortMultipartUpload"): effects.undoes_an_upload_in_parts,
    ("Undo", "s3:DeleteObject"): effects.undoes_an_upload_with_its_object,
    ("Store", "dynamodb:BatchGetItem"): effects.stores_nothing_unknown,
    ("Store", "dynamodb:PartiQLUpdate"): effects.stores_an_upload,
    ("Store", "s3:GetObjectVersion"): effects.stores_an_upload_that_declared_no_type,
    ("Store", "s3:ListBucketVersions"): effects.looks_for_an_upload_before_refusing_to_store_it,
    ("Info", "dynamodb:BatchGetItem"): effects.describes_a_file,
    ("Info", "s3:GetObjectVersion"): effects.hands_out_a_download,
    ("List", "dynamodb:BatchGetItem"): effects.lists_files,
    ("List", "dynamodb:Query"): effects.lists_files,
    ("List", "s3:GetObjectVersion"): effects.lists_a_download,
    ("Show", "dynamodb:BatchGetItem"): effects.shows_a_file,
    ("Show", "s3:GetObjectVersion"): effects.shows_a_download,
    ("Content", "dynamodb:BatchGetItem"): effects.leads_to_contents,
    ("Content", "s3:GetObjectVersion"): effects.leads_to_a_download,
    ("Update", "dynamodb:PartiQLUpdate"): effects.renames_a_file,
    ("Update", "dynamodb:BatchGetItem"): effects.renames_nothing_unknown,
    ("Update", "s3:GetObjectVersion"): effects.hands_out_a_download_under_a_new_name,
    ("Delete", "dynamodb:BatchGetItem"): effects.deletes_nothing_unknown,
    ("Delete", "dynamodb:PartiQLUpdate"): effects.deletes_a_file,
    ("Delete", "s3:DeleteObject"): effects.deletes_a_file_with_its_object,
    ("Delete", "s3:DeleteObjectVersion"): effects.deletes_two_files_with_their_objects,
    ("Uploaded", "dynamodb:BatchGetItem"): effects.removes_an_object_without_a_record,
    ("Uploaded", "dynamodb:PartiQLUpdate"): effects.records_an_upload,
    ("Uploaded", "s3:GetObjectVersion"): effects.records_an_upload,
    ("Uploaded", "s3:DeleteObject"): effects.drops_a_second_upload,
    ("Uploaded", "s3:DeleteObjectVersion"): effects.drops_a_second_and_a_third_upload,
    ("Sweep", "dynamodb:BatchGetItem"): effects.removes_what_nobody_stored,
    ("Sweep", "dynamodb:Query"): effects.sweeps,
    ("Sweep", "dynamodb:PartiQLUpdate"): effects.removes_what_nobody_stored,
    ("Sweep", "s3:ListBucketVersions"): effects.removes_what_nobody_stored,
    ("Sweep", "s3:ListBucketMultipartUploads"): effects.sweeps,
    ("Sweep", "s3:ListMultipartUploadParts"): effects.ends_what_nobody_went_on_with,
    ("Sweep", "s3:AbortMultipartUpload"): effects.ends_what_nobody_went_on_with,
    ("Sweep", "s3:GetObjectVersion"): effects.adopts_an_upload_that_declared_no_type,
    ("Sweep", "s3:DeleteObject"): effects.removes_what_nobody_stored_with_its_object,
    ("Sweep", "s3:DeleteObjectVersion"): effects.removes_every_version_of_what_nobody_stored,
}
ENFORCED = sorted({(function, action) for function, actions in ALLOWED.items() for action in actions} - NOT_ENFORCED)


@pytest.mark.parametrize(("function", "action"), ENFORCED)
def test_without_it_something_fails(strict_stack: Stack, function: str, action: str) -> None:
    works = NEEDED[function, action]
    with taken_away(strict_stack, f"{function}Function", action):
        assert not works(strict_stack)
    assert works(strict_stack)


@contextmanager
def taken_away(stack: Stack, function: str, action: str) -> Iterator[None]:
    """The function's role without this one action."""
    iam = stack.client("iam")
    configuration = stack.client("lambda").get_function_configuration(FunctionName=stack.outputs["Functions"][function])
    where = {"RoleName": configuration["Role"].rsplit("/", 1)[-1], "PolicyName": "code"}
    policy = iam.get_role_policy(**where)["PolicyDocument"]
    iam.put_role_policy(**where, PolicyDocument=json.dumps(without(policy, action)))
    if action.startswith("dynamodb:PartiQL"):
        iam.delete_role_policy(RoleName=where["RoleName"], PolicyName=deployment_patches.PARTIQL_POLICY)
    try:
        yield
    finally:
        iam.put_role_policy(**where, PolicyDocument=json.dumps(policy))
        deployment_patches.allow_partiql(stack.client("iam"), where["RoleName"])


def without(policy: dict[str, Any], action: str) -> dict[str, Any]:
    statements = []
    for statement in policy["Statement"]:
        named = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        kept = [each for each in named if each != action]
        if kept:
            statements.append({**statement, "Action": kept})
    assert statements != policy["Statement"]
    return {**policy, "Statement": statements}
