"""What DynamoDB does with the statements of source/filestore/storage/."""

from ops.smoke.checks import CheckFailed, check, expect
from ops.smoke.session import Smoke

_REFERENCE = "DynamoDB API reference: BatchExecuteStatement; not documented in full, measured by this"


@check(source=_REFERENCE)
def refused_item(smoke: Smoke) -> str:
    """Where a batch brings the record of a statement whose condition fails: the code looks in Error.Item."""
    file_id, table = smoke.begin()["id"], smoke.deployment.outputs["TableName"]
    answer = smoke.deployment.client("dynamodb").batch_execute_statement(
        Statements=[
            {
                # What record_uploads says, of a file that is not deleted: so nothing changes.
                "Statement": f'UPDATE "{table}" SET "etag"=? SET "size"=? REMOVE "purge_at"'  # noqa: S608
                ' WHERE "id"=? AND "deleted_at" IS NOT MISSING',
                "Parameters": [{"S": "smoke"}, {"N": "1"}, {"S": file_id}],
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        ]
    )
    (response,) = answer["Responses"]
    error = response.get("Error", {})
    expect("code", error.get("Code"), "ConditionalCheckFailed", f"The raw answer: {response}")
    places = [
        place
        for place, item in (("Error.Item", error.get("Item")), ("Item", response.get("Item")))
        if item and item["id"]["S"] == file_id
    ]
    return f"in {' and '.join(places)}" if places else "nowhere: the functions read it"


@check(source=_REFERENCE)
def several_sets_and_removes(smoke: Smoke) -> str:
    """One statement sets and removes several attributes: an event, a store and a delete have left their marks."""
    upload = smoke.upload(b"recorded")
    smoke.recorded(upload["id"])
    _marks(smoke, upload["id"], "the event", has={"uploaded_at", "size", "version_id", "etag"}, lacks={"purge_at"})
    if not smoke.deployment.stores_on_load:
        smoke.ask("PUT", [upload["id"]])
    _marks(smoke, upload["id"], "the store", has={"stored_at"}, lacks={"sweep_shard", "sweep_at", "purge_at"})
    smoke.ask("DELETE", [upload["id"]])
    _marks(smoke, upload["id"], "the delete", has={"deleted_at", "deletion"}, lacks={"purge_at"})
    return "event, store, delete"


def _marks(smoke: Smoke, file_id: str, what: str, *, has: set[str], lacks: set[str]) -> None:
    attributes = smoke.record(file_id).keys()
    if not has <= attributes or lacks & attributes:
        raise CheckFailed(
            expected=f"after {what} {sorted(has)} without {sorted(lacks)}",
            came=sorted(attributes),
            do="DynamoDB reads such a statement otherwise: see storage/repository.py, and do not go live.",
        )
