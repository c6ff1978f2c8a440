"""Reads a run directory of Steerlab into pandas.

    import steerlab_load as lab
    run = lab.load("runs/latest")
    run.totals                       # a DataFrame; also run["totals"]
    run.unit("totals", "served_bps") # "bit/s"

A run directory is self-contained, so it may be years old or come from another machine. Nothing here
knows how a run is made; `demo` only starts the command.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd


@dataclass
class Run:
    """A run directory. Each table is a DataFrame, by name or as an attribute."""

    dir: Path
    scenario: dict
    summary: dict
    manifest: dict
    tables: dict[str, pd.DataFrame] = field(repr=False)

    def __getitem__(self, table: str) -> pd.DataFrame:
        return self.tables[table]

    def __getattr__(self, table: str) -> pd.DataFrame:
        try:
            return self.__dict__["tables"][table]
        except KeyError:
            raise AttributeError(f"no table {table!r}; there are {sorted(self.tables)}") from None

    def unit(self, table: str, column: str) -> str:
        """Unit of a column; empty for ratios, counts and text."""
        return self.tables[table].attrs["units"][column]

    def meaning(self, table: str, column: str) -> str:
        """What a column holds, in one line."""
        return self.tables[table].attrs["meanings"][column]

    @property
    def arms(self) -> list[str]:
        """Arm ids in the order of the scenario; the first is the baseline."""
        return [arm["arm"] for arm in self.summary["arms"]]

    def instants(self, table: str) -> pd.Series:
        """Start of each row's bucket in UTC; since the epoch if the scenario has no start."""
        start = pd.Timestamp(self.scenario["start"] or "1970-01-01T00:00:00Z")
        return start + pd.to_timedelta(self.tables[table]["time_s"], unit="s")


def load(directory: str | os.PathLike) -> Run:
    """Reads a run directory. Every file must be what the manifest says it is.

    Raises ValueError if the directory is not a finished run or a file was changed since.
    """
    path = Path(directory).resolve()
    manifest_file = path / "manifest.json"
    if not manifest_file.exists():
        raise ValueError(f"{directory} has no manifest.json: it is not a finished run directory")
    manifest = json.loads(manifest_file.read_text())
    for entry in manifest["files"]:
        found = hashlib.sha256((path / entry["name"]).read_bytes()).hexdigest()
        if found != entry["sha256"]:
            raise ValueError(f"{entry['name']} is not the file that the run wrote")
    columns = _json(path, "columns", "steerlab-columns/1")
    tables = {}
    for table in columns["tables"]:
        frame = pd.read_parquet(path / f"{table['table']}.parquet")
        frame.attrs["units"] = {c["name"]: c["unit"] for c in table["columns"]}
        frame.attrs["meanings"] = {c["name"]: c["meaning"] for c in table["columns"]}
        tables[table["table"]] = frame
    return Run(
        dir=path,
        scenario=json.loads((path / "scenario.json").read_text()),
        summary=_json(path, "summary", "steerlab-summary/1"),
        manifest=manifest,
        tables=tables,
    )


def _json(path: Path, name: str, wanted: str) -> dict:
    content = json.loads((path / f"{name}.json").read_text())
    if content["format"] != wanted:
        raise ValueError(f"{name}.json has format {content['format']}, this reads {wanted}")
    return content


def demo(out: str | os.PathLike) -> Path:
    """Runs `steerlab demo` and returns the run directory, or the one that STEERLAB_RUN names.

    The command is looked for on the PATH, then where `cargo build --release` leaves it.
    """
    if existing := os.environ.get("STEERLAB_RUN"):
        return Path(existing)
    built = Path(__file__).resolve().parent.parent / "target" / "release" / "steerlab"
    command = shutil.which("steerlab") or str(built)
    done = subprocess.run(
        [command, "demo", "--quiet", "--out", str(out)], capture_output=True, text=True
    )
    # 1 says that a check of the scenario failed; the run directory is complete all the same.
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command} demo ended with {done.returncode}:\n{done.stderr}")
    return Path(out) / "latest"


def student_t(confidence: float, degrees: int) -> float:
    """What |t| stays below with this probability, for a whole number of degrees of freedom.

    The distribution function then has a finite sum (Abramowitz and Stegun 26.7.3 and 26.7.4).
    """

    def inside(t: float) -> float:
        angle = math.atan(t / math.sqrt(degrees))
        cosine, sine = math.cos(angle), math.sin(angle)
        odd = degrees % 2
        term, total = (cosine if odd else 1.0), 0.0
        for k in range(2 + odd, degrees + 1, 2):
            total += term
            term *= cosine * cosine * (k - 1) / k
        return 2 / math.pi * (angle + sine * total) if odd else sine * total

    low, high = 0.0, 1.0
    while inside(high) < confidence:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < confidence else (low, middle)
    return (low + high) / 2


def interval(values: pd.Series, confidence: float) -> tuple[float, float, float]:
    """Mean and Student-t interval of a few numbers: (mean, low, high)."""
    mean, count = values.mean(), len(values)
    half = student_t(confidence, count - 1) * values.std(ddof=1) / math.sqrt(count)
    return mean, mean - half, mean + half


class _Tables(HTMLParser):
    """Collects the rows of every table inside the figure of a caption id."""

    def __init__(self, figure: str):
        super().__init__()
        self.caption, self.inside, self.rows, self.cell = f"{figure}-caption", False, [], None

    def handle_starttag(self, tag, attrs):
        if tag == "figure":
            self.inside = dict(attrs).get("aria-labelledby") == self.caption
        elif self.inside and tag == "tr":
            self.rows.append([])
        elif self.inside and self.rows and tag in ("td", "th"):
            self.cell = ""

    def handle_endtag(self, tag):
        if tag == "figure":
            self.inside = False
        elif self.cell is not None and tag in ("td", "th"):
            self.rows[-1].append(self.cell)
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data


def figure_table(run: Run, figure: str) -> pd.DataFrame:
    """The numbers that the report shows behind a figure, as it shows them: text."""
    reader = _Tables(figure)
    reader.feed((run.dir / "report.html").read_text())
    if not reader.rows:
        raise ValueError(f"the report has no figure {figure!r} with numbers")
    return pd.DataFrame(reader.rows[1:], columns=reader.rows[0])


_PREFIX = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}


def quantity(text: str, unit: str) -> float:
    """A number of the report: `781.4 Gbit/s` with unit `bit/s` is 781.4e9."""
    found = re.fullmatch(rf"([+−]?[\d,.]+) ?([kMGTPE]?) ?{re.escape(unit)}", text)
    if not found:
        raise ValueError(f"{text!r} is not a number of {unit}")
    return float(found[1].replace(",", "").replace("−", "-")) * _PREFIX[found[2]]


def shown_as(value: float, shown: float) -> bool:
    """Whether a number is what the report shows, which has four significant figures."""
    if value == 0 or shown == 0:
        return value == shown
    unit = 10.0 ** (math.floor(math.log10(abs(shown))) - 3)
    return abs(value - shown) <= 0.5 * unit * (1 + 1e-9)
