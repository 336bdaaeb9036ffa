"""What each function may do, written down apart from the template: action by action, and on what."""

TABLE = "${FilesTable.Arn}"
DUE_INDEX = "${FilesTable.Arn}/index/due"
LIST_INDEX = "${FilesTable.Arn}/index/listed"
BUCKET = "${StorageBucket.Arn}"
OBJECTS = "${StorageBucket.Arn}/*"
QUEUE = "${UploadedQueue.Arn}"
KEY = "${EncryptionKeyArn}"

ALLOWED: dict[str, dict[str, str]] = {
    "Upload": {"dynamodb:PutItem": TABLE, "s3:PutObject": OBJECTS},
    "Sign": {"dynamodb:BatchGetItem": TABLE, "dynamodb:PartiQLUpdate": TABLE, "s3:PutObject": OBJECTS},
    "Parts": {
        "dynamodb:BatchGetItem": TABLE,
        "s3:ListBucketVersions": BUCKET,
        "s3:ListMultipartUploadParts": OBJECTS,
    },
    "Complete": {
        "dynamodb:BatchGetItem": TABLE,
        "dynamodb:PartiQLUpdate": TABLE,
        "s3:ListBucketVersions": BUCKET,
        "s3:AbortMultipartUpload": OBJECTS,
        "s3:GetObjectVersion": OBJECTS,
        "s3:ListMultipartUploadParts": OBJECTS,
        "s3:PutObject": OBJECTS,
    },
    "Undo": {
        "dynamodb:BatchGetItem": TABLE,
        "dynamodb:PartiQLUpdate": TABLE,
        "s3:AbortMultipartUpload": OBJECTS,
        "s3:DeleteObject": OBJECTS,
        "s3:DeleteObjectVersion": OBJECTS,
    },
    "Store": {
        "dynamodb:BatchGetItem": TABLE,
        "dynamodb:PartiQLUpdate": TABLE,
        "s3:ListBucketVersions": BUCKET,
        "s3:GetObjectVersion": OBJECTS,
    },
    "Info": {"dynamodb:BatchGetItem": TABLE, "s3:GetObjectVersion": OBJECTS},
    "List": {"dynamodb:Query": LIST_INDEX, "dynamodb:BatchGetItem": TABLE, "s3:GetObjectVersion": OBJECTS},
    "Show": {"dynamodb:BatchGetItem": TABLE, "s3:GetObjectVersion": OBJECTS},
    "Content": {"dynamodb:BatchGetItem": TABLE, "s3:GetObjectVersion": OBJECTS},
    "Update": {"dynamodb:BatchGetItem": TABLE, "dynamodb:PartiQLUpdate": TABLE, "s3:GetObjectVersion": OBJECTS},
    "Delete": {
        "dynamodb:BatchGetItem": TABLE,
        "dynamodb:PartiQLUpdate": TABLE,
        "s3:DeleteObject": OBJECTS,
        "s3:DeleteObjectVersion": OBJECTS,
    },
    "Uploaded": {
        "dynamodb:BatchGetItem": TABLE,
        "dynamodb:PartiQLUpdate": TABLE,
        "s3:GetObjectVersion": OBJECTS,
        "s3:DeleteObject": OBJECTS,
        "s3:DeleteObjectVersion": OBJECTS,
        "sqs:ReceiveMessage": QUEUE,
        "sqs:DeleteMessage": QUEUE,
        "sqs:GetQueueAttributes": QUEUE,
    },
    "Sweep": {
        "dynamodb:Query": DUE_INDEX,
        "dynamodb:BatchGetItem": TABLE,
        "dynamodb:PartiQLUpdate": TABLE,
        "dynamodb:PartiQLDelete": TABLE,
        "s3:ListBucketMultipartUploads": BUCKET,
        "s3:ListBucketVersions": BUCKET,
        "s3:AbortMultipartUpload": OBJECTS,
        "s3:ListMultipartUploadParts": OBJECTS,
        "s3:GetObjectVersion": OBJECTS,
        "s3:DeleteObject": OBJECTS,
        "s3:DeleteObjectVersion": OBJECTS,
    },
}
"""By function; every function may also write to the log group that they share."""

WITH_ENCRYPTION_KEY: dict[str, dict[str, str]] = {
    "Upload": {"kms:GenerateDataKey": KEY},
    "Sign": {"kms:Decrypt": KEY, "kms:GenerateDataKey": KEY},
    "Complete": {"kms:Decrypt": KEY, "kms:GenerateDataKey": KEY},
    "Info": {"kms:Decrypt": KEY},
    "List": {"kms:Decrypt": KEY},
    "Show": {"kms:Decrypt": KEY},
    "Content": {"kms:Decrypt": KEY},
    "Update": {"kms:Decrypt": KEY},
}
"""In addition, where EncryptionKeyArn is given: a presigned URL can do what its signer can."""

WITH_TRACING = {"xray:PutTraceSegments": "*", "xray:PutTelemetryRecords": "*"}
"""In addition, for every function, where Tracing is on. X-Ray has no resources to name."""

NOT_ENFORCED = {
    # The emulator checks s3:DeleteObject for the first object of a DeleteObjects and s3:DeleteObjectVersion for the
    # others, AWS both for each (Amazon S3 API reference); an undo has one object.
    ("Undo", "s3:DeleteObjectVersion"),
    # It knows a batch of PartiQL statements as one action, updates and deletions alike.
    ("Sweep", "dynamodb:PartiQLDelete"),
    # It takes messages from a queue for a function without asking whether the function may.
    ("Uploaded", "sqs:ReceiveMessage"),
    ("Uploaded", "sqs:DeleteMessage"),
    ("Uploaded", "sqs:GetQueueAttributes"),
}
"""Rights that nothing misses on the emulator, so that taking them away there proves nothing."""
