"""What becomes of the events of S3."""

from filestore.errors import NoAnswerError, StorageError
from tests import support
from tests.proof.faults import Died
from tests.proof.settings import MAX_RECEIVES
from tests.proof.vocabulary import Message, Op
from tests.proof.world import World


def lose(world: World, op: Op) -> None:
    """The one event of an upload never comes, or one of a deleted file, though S3 promises to deliver each."""
    for upload in (world.uploads[number % len(world.uploads)] for number in op.files if world.uploads):
        if not upload.too_slow and (len(upload.versions) == 1 or world.is_deleted(upload)):
            upload.event_lost = True
            world.queue = [message for message in world.queue if message.upload["key"] != upload.id]
            world.dead = [message for message in world.dead if message.upload["key"] != upload.id]
            world.handled = [event for event in world.handled if event["key"] != upload.id]


def deliver(world: World, op: Op) -> None:
    """SQS hands over a batch, out of order; one variant in four brings what was handled before once more."""
    picked = [world.queue[number % len(world.queue)] for number in op.files if world.queue]
    messages = list({id(message): message for message in picked}.values())
    world.queue = [message for message in world.queue if message not in messages]
    again = world.handled[:3] if op.variant & 2 else []
    event = support.upload_event(*(message.upload for message in messages), *again)
    if op.variant & 1:
        event["Records"].append({"messageId": "poison", "body": "{"})
    failed = {record["messageId"] for record in event["Records"]}
    try:
        answer = support.invoke("uploaded", event)
    except (Died, NoAnswerError):
        pass
    except StorageError as error:
        world.require(world.is_denied(), f"an event failed: {error}")
    else:
        world.require(not world.is_denied(), "I6: that a statement was denied went unnoticed")
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        world.require(("poison" in failed) == bool(op.variant & 1), "a poisoned message must fail, alone")
        waiting = {f"message-{n}" for n, message in enumerate(messages) if not message.has_version}
        world.require(waiting <= failed, "an event without a version must wait")
        world.require(op.fault or failed <= {"poison", *waiting}, f"{failed} failed without a fault")
    for number, message in enumerate(messages):
        if f"message-{number}" not in failed:
            world.handled.append(message.upload)
            continue
        message.receives += 1
        (world.dead if message.receives == MAX_RECEIVES else world.queue).append(message)


def redrive(world: World, op: Op) -> None:
    """The operator moves the dead letters back."""
    del op
    world.queue += [Message(message.upload) for message in world.dead]
    world.dead = []
