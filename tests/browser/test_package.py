"""The package filestore-client: what it is built into, its types, its size."""

import gzip
import json
import posixpath
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from local import page as page_files
from tests.browser.conftest import FORM, Site
from tests.browser.pages import Pond
from tests.browser.service import Service
from tests.support import ROOT

STATIC = ROOT / "static"
PACKAGE = STATIC / "filestore-client"
UPLOADER = PACKAGE / "dist" / "uploader.js"


def node() -> str:
    return shutil.which("node") or pytest.fail("The package is built with Node.js.", pytrace=False)


@pytest.fixture(scope="module", autouse=True)
def built() -> Path:
    """The package as its build makes it, which fails where an entry is larger than it may be."""
    finished = subprocess.run([node(), "build.mjs"], cwd=PACKAGE, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return PACKAGE / "dist"


class TestThePackage:
    def test_the_module_is_small_and_stands_alone(self) -> None:
        minified = UPLOADER.read_bytes()
        assert len(gzip.compress(minified)) <= 12 * 1024
        assert re.findall(rb"\bimport\b", minified) == []

    def test_is_imported_where_there_is_no_browser(self) -> None:
        """Pages are rendered on servers, too."""
        code = "await import('./dist/client.js'); await import('./dist/filepond.js')"
        command = [node(), "--input-type=module", "--eval", code]
        imported = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
        assert (imported.returncode, imported.stderr) == (0, "")

    def test_typescript_accepts_every_script(self) -> None:
        checked = subprocess.run(
            [STATIC / "node_modules" / ".bin" / "tsc", "-p", STATIC], capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout) == (0, "")

    def test_the_page_s_own_packages_are_pinned(self) -> None:
        package = json.loads((STATIC / "package.json").read_text())
        versions = {**package["dependencies"], **package["devDependencies"]}.values()
        assert [version for version in versions if not re.fullmatch(r"(npm:\S+@)?\d+\.\d+\.\d+", version)] == []


USE = """import { FilestoreClient, submitted, type UploadedFile } from 'filestore-client';
import { FilestoreUploader } from 'filestore-client/filepond';

const url = 'https://example.org/prod';
FilestoreUploader.setup(url, document, OPTIONS);
export const file: Promise<UploadedFile> = new FilestoreClient(url).upload(new File([], 'a')).done;
file.then(({ id }) => submitted([id]));
"""
RIGHT = [
    "{}",
    "{ maxFileSize: 10_000_000, acceptedFileTypes: ['image/*'], maxFiles: 3, credits: false }",
    "{ maxFileSize: '10MB', labelIdle: 'Drop', restoreAs: 'application', texts: { again: 'Encore' } }",
    "{ maxFileSize: null, acceptedFileTypes: null }",
]
WRONG = [
    ("{ maxFilSize: 10_000_000 }", "'maxFilSize' does not exist"),
    ("{ texts: { agian: 'Encore' } }", "'agian' does not exist"),
    ("{ lifetime: '1 h' }", "'string' is not assignable to type 'number'"),
]


def modules_of(name: str) -> set[str]:
    """What a module of the page imports, by its path on the site."""
    found: set[str] = set()
    left = [name]
    while left:
        importing = left.pop()
        text = page_files.files()[importing].read_text()
        for path in re.findall(r"^(?:import|export)\b[^;]*?from '([^']+)'", text, re.MULTILINE):
            imported = posixpath.normpath(posixpath.join(posixpath.dirname(importing), path))
            if imported not in found:
                found.add(imported)
                left.append(imported)
    return found


class TestThePage:
    @pytest.mark.parametrize(("html", "module"), [("index.html", "page.js"), ("files.html", "files.js")])
    def test_names_every_module_at_once(self, html: str, module: str) -> None:
        """Otherwise a browser learns of each from the one before, a round trip every time."""
        text = page_files.files()[html].read_text()
        assert set(re.findall(r'<link rel="modulepreload" href="([^"]+)">', text)) == modules_of(module)


PLUGINS = ("filepond-plugin-file-validate-size", "filepond-plugin-file-validate-type")


class TestTypes:
    @pytest.mark.parametrize("plugins", [(), PLUGINS])
    def test_are_found_by_strict_users_and_know_every_option(self, tmp_path: Path, plugins: tuple[str, ...]) -> None:
        modules = tmp_path / "node_modules"
        modules.mkdir()
        for name in ("filepond", *plugins):
            (modules / name).symlink_to(STATIC / "node_modules" / name)
        (modules / "filestore-client").symlink_to(PACKAGE)
        imports = "".join(f"import '{plugin}';\n" for plugin in plugins)
        for number, options in enumerate([*RIGHT, *(options for options, _ in WRONG)]):
            (tmp_path / f"{number}.ts").write_text(imports + USE.replace("OPTIONS", options))
        compiler = [str(STATIC / "node_modules" / ".bin" / "tsc"), "--strict", "--noEmit", "--target", "es2022"]
        settings = ["--module", "esnext", "--moduleResolution", "bundler", "--types", "", "--pretty", "false"]
        files = [path.name for path in sorted(tmp_path.glob("*.ts"))]
        checked = subprocess.run(
            [*compiler, *settings, *files], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        complaints = [line for line in checked.stdout.splitlines() if not line.startswith(" ")]
        assert [line.partition(".ts")[0] for line in complaints] == ["4", "5", "6"]
        for line, (_, mistake) in zip(complaints, WRONG, strict=True):
            assert mistake in line


SCRIPTS = {
    "module": '<script type="module">\nimport { FilestoreUploader } from "./dist/uploader.js";\nSETUP</script>',
    "classic": '<script src="dist/filestore-client.js"></script>\n<script>SETUP</script>',
}


class TestPagesWithoutABundler:
    """Each is given the built file alone."""

    @pytest.mark.parametrize("kind", SCRIPTS)
    @pytest.mark.parametrize("root", ["'#documents'", "document"])
    def test_upload(self, page: Page, site: Site, service: Service, kind: str, root: str) -> None:
        dist = PACKAGE / "dist"
        page.route("**/dist/*.js", lambda route: route.fulfill(path=dist / route.request.url.rsplit("/", 1)[-1]))
        setup = f"window.pond = FilestoreUploader.setup('{service.url}', {root});"
        html = re.sub(r'<script type="module">.*?</script>', "SCRIPTS", FORM, flags=re.DOTALL)
        page.goto(site.add("built.html", html.replace("SCRIPTS", SCRIPTS[kind].replace("SETUP", setup))))
        expect(page.locator(".filepond--root")).to_be_visible()
        page.evaluate("() => void window.pond.addFile(new File(['x'], 'a.txt'))")
        Pond(page).expect_uploaded(1)
        assert Pond(page).ids() == ["id-1-a.txt"]
