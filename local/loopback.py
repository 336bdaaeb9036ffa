"""The names of this machine under which its servers here may be called."""


def hosts(port: int) -> frozenset[str]:
    """Returns what a request to this port has as Host. Any other is a name that somebody points at this machine."""
    names = ("127.0.0.1", "localhost")
    return frozenset({f"{name}:{port}" for name in names} | (set(names) if port == 80 else set()))  # noqa: PLR2004
