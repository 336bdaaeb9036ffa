"""Checksums as requests declare them."""

import base64
import binascii

# Octets of a digest by algorithm: FIPS 180-4, IEEE 802.3, and CRC-64/NVME of the NVM Express specification.
OCTETS = {"SHA256": 32, "CRC32": 4, "CRC64NVME": 8}


def is_digest(algorithm: str, value: object) -> bool:
    """Whether the value is a digest of this algorithm in base64."""
    if not isinstance(value, str):
        return False
    try:
        return len(base64.b64decode(value, validate=True)) == OCTETS[algorithm]
    except (binascii.Error, ValueError):
        return False
