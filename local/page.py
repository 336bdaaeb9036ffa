"""The page: its files, what it has to know of the stack, and what it may do in a browser."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from local.emulator import ROOT

PACKAGES = ROOT / "static" / "node_modules"
VENDOR = "vendor"
_WEB = ROOT / "static" / "web"
_CLIENT = "filestore-client/src"

REFERENCE = "reference.html"
"""The page that shows the document of the API, openapi.json."""

# Those of the machine's own tables may differ, and a browser runs no module of another type.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


def files() -> dict[str, Path]:
    """Everything of the page's own, by its path on the site: static/web, and the client that it imports, as it is."""
    own = {path.name: path for path in _WEB.iterdir()}
    client = {f"{_CLIENT}/{path.name}": path for path in (ROOT / "static" / _CLIENT).iterdir()}
    return own | client


def packages() -> list[str]:
    """The packages that the page loads."""
    names: dict[str, str] = json.loads((ROOT / "static" / "package.json").read_text())["dependencies"]
    return sorted(names)


def config(
    *,
    api_root_url: str,
    backend_url: str | None,
    store_on_load: bool,
    unstored_file_lifetime: int,
    max_file_size: int,
    upload_root_url: str | None = None,
) -> str:
    """config.json, which the page reads before anything else. ``upload_root_url`` is where it asks for uploads."""
    return json.dumps(
        {
            "uploadRootUrl": upload_root_url or api_root_url,
            "apiRootUrl": api_root_url,
            "backendUrl": backend_url,
            "storeOnLoad": store_on_load,
            "unstoredFileLifetime": unstored_file_lifetime,
            "maxFileSize": max_file_size,
        }
    )


def policy(*, api_root_url: str, storage_url: str, backend_url: str | None, scripts: tuple[str, ...] = ()) -> str:
    """The page's Content-Security-Policy. ``scripts`` are the hashes of what is inline."""
    api, storage = _origin(api_root_url), _origin(storage_url)
    backend = [_origin(backend_url)] if backend_url and urlsplit(backend_url).netloc else []
    return _policy(
        {
            "default-src": ["'none'"],
            "script-src": ["'self'", *scripts],
            "style-src": ["'self'"],
            "img-src": ["'self'", "blob:", storage],
            "connect-src": ["'self'", api, storage, *backend],
            # The preview of images is drawn in a worker that FilePond makes out of a function.
            "worker-src": ["blob:"],
            "form-action": ["'self'"],
            "base-uri": ["'none'"],
        }
    )


def reference_policy(scripts: tuple[str, ...] = ()) -> str:
    """The reference's Content-Security-Policy: it loads itself and the document, and reaches nothing else."""
    return _policy(
        {
            "default-src": ["'none'"],
            "script-src": ["'self'", *scripts],
            "style-src": ["'self'"],
            # Swagger UI's style sheet has its arrows in it.
            "img-src": ["'self'", "data:"],
            "connect-src": ["'self'"],
            "form-action": ["'none'"],
            "base-uri": ["'none'"],
        }
    )


def vendor_file(package: str, name: str) -> Path:
    """A file that a package publishes for browsers: in the folder dist, if there is one."""
    folder = PACKAGES / package
    dist = folder / "dist"
    return (dist if dist.is_dir() else folder) / name


def _policy(directives: Mapping[str, Sequence[str]]) -> str:
    return "; ".join(f"{directive} {' '.join(sources)}" for directive, sources in directives.items())


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
