"""The stack's parameters in the proof: times in seconds, sizes in octets."""

URL_LIFETIME = 3600
FILE_LIFETIME = 7200
SHORT_LIFETIME = 600
MAX_FILE_SIZE = 100_000
MULTIPART_THRESHOLD = 50_000
# Of the parts of an upload, which has three.
PART_SIZE = 20
SIZE_IN_PARTS = 48
URL_MARGIN = 60
LATE_MARGIN = 5400
MAX_RECEIVES = 5
KEYS = ("key-1", "key-2")
START = 1_800_000_000

SETTINGS = {
    "ALLOWED_ORIGINS": "*",
    "SIGNED_URL_EXPIRATION": str(URL_LIFETIME),
    "UNSTORED_FILE_LIFETIME": str(FILE_LIFETIME),
    "LATE_UPLOAD_MARGIN": str(LATE_MARGIN),
    "STORE_ON_LOAD": "False",
    "KEY_ISOLATION": "False",
    "PUBLIC_UPLOAD": "True",
    "MAX_FILE_SIZE": str(MAX_FILE_SIZE),
    "MULTIPART_THRESHOLD": str(MULTIPART_THRESHOLD),
    "TABLE_NAME": "files",
    "BUCKET_NAME": "bucket",
    # Nothing listens there: whatever is not answered in memory fails.
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
}
