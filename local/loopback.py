"""The names of this machine under which its servers here may be called, and ports that are free."""

import socket


def hosts(port: int) -> frozenset[str]:
    """Returns what a request to this port has as Host. Any other is a name that somebody points at this machine."""
    names = ("127.0.0.1", "localhost")
    return frozenset({f"{name}:{port}" for name in names} | (set(names) if port == 80 else set()))  # noqa: PLR2004


def free_port() -> int:
    """Returns a port on 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
