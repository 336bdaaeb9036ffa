"""The results: tables in Markdown, and a chart of the cold starts."""

import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from xml.sax.saxutils import escape

_BAR = 18
_GAP = 8
_LEFT = 90
_WIDTH = 640


@dataclass(frozen=True, slots=True)
class Python:
    """What runs the functions that are measured. Its instructions and its memory are like those of no other version."""

    release: str

    @classmethod
    def of(cls, interpreter: Path) -> Self:
        """Asks the interpreter."""
        asked = "import platform; print(platform.python_version())"
        said = subprocess.run([interpreter, "-c", asked], capture_output=True, text=True, check=True)
        return cls(said.stdout.strip())

    @property
    def minor(self) -> str:
        """The version as Lambda names its runtimes, such as 3.13."""
        return ".".join(self.release.split(".")[:2])

    def __str__(self) -> str:
        """As in a title."""
        return f"Python {self.release}"


def machine() -> str:
    """One line on what this was measured on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    return f"{model}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}, load {load}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table; all but the first column are numbers."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def spread(values: Sequence[float], digits: int = 0) -> str:
    """The median, with the least and the greatest value."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def bars(title: str, values: Mapping[str, float], *, limit: float | None, unit: str) -> str:
    """A bar chart in SVG, with a line at the limit if there is one."""
    scale = (_WIDTH - _LEFT - 70) / max(limit or 0, *values.values())
    height = 40 + len(values) * (_BAR + _GAP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        "<style>text { font: 12px sans-serif }</style>",
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="white"/>',
        f'<text x="10" y="18">{escape(title)}</text>',
    ]
    for row, (name, value) in enumerate(values.items()):
        top = 30 + row * (_BAR + _GAP)
        parts += [
            f'<text x="{_LEFT - 8}" y="{top + 13}" text-anchor="end">{escape(name)}</text>',
            f'<rect x="{_LEFT}" y="{top}" width="{value * scale:.1f}" height="{_BAR}" fill="#4c78a8"/>',
            f'<text x="{_LEFT + value * scale + 6:.1f}" y="{top + 13}">{value:.2f}{escape(unit)}</text>',
        ]
    if limit is not None:
        at = _LEFT + limit * scale
        line = f'x1="{at:.1f}" y1="26" x2="{at:.1f}" y2="{height - 6}"'
        parts.append(f'<line {line} stroke="#d62728" stroke-dasharray="4 3"/>')
    parts.append("</svg>\n")
    return "\n".join(parts)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
