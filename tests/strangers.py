"""What a stranger may send along with an upload, signed by nobody."""

import gzip

BOMB = gzip.compress(bytes(10_000_000))
# What S3 keeps of a PUT, and has in its answers (PutObject, Amazon S3 API reference).
SENT_ALONG = {
    "Cache-Control": "public, max-age=31536000",
    "Content-Disposition": 'inline; filename="evil.html"',
    "Content-Encoding": "gzip",
    "Content-Language": "tlh",
    "Expires": "Fri, 01 Jan 2038 00:00:00 GMT",
}
