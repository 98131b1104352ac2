# SPDX-License-Identifier: Apache-2.0
"""Does the house keep its own rules? What a linter does not measure is measured here."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import typer
from tests.golden.rendering import rendered
from tests.unit.fakes import RECIPES

from ttctl.adapters import places
from ttctl.adapters.pip_index import default_index
from ttctl.cli.door import split_flags
from ttctl.cli.registry import COMMANDS
from ttctl.model.pins import DERIVED

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PRODUCT = sorted(
    path
    for folder in ("controller", "images")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
LONGEST_MODULE = 400
LONGEST_FUNCTION = 50
MANY = 100
FILLED_IN = "8001"
"""What an f-string fills in, for the checks: a model's name and a number."""
LEFT_FOR_LATER = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".j2", ".sh", ".cfg", ".awk", ".tsv", ""}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    """Return the files under version control, of which binary ones are left out."""
    done = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=False
    )
    names = [name for name in done.stdout.decode().split("\0") if name]
    assert len(names) > MANY, "these checks read what git tracks: run them in a checkout"
    paths = (ROOT / name for name in names)
    return [path for path in paths if path.suffix in TEXTS and path.is_file()]


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_no_module_and_no_function_is_too_long_and_the_license_comes_first(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = next(line for line in text.splitlines()[:2] if not line.startswith("#!"))
    assert first == "# SPDX-License-Identifier: Apache-2.0"
    assert text.count("\n") <= LONGEST_MODULE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


@pytest.mark.parametrize(
    "path", [path for path in PRODUCT if path.name == "__init__.py"], ids=name_of
)
def test_an_init_imports_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def test_every_toml_file_that_is_shipped_parses() -> None:
    shipped = [ROOT / "controller", ROOT / "images", ROOT / "compose"]
    found = [path for folder in shipped for path in folder.rglob("*.toml")]
    assert len(found) > 5
    for path in found:
        assert tomllib.loads(path.read_text(encoding="utf-8")), path


def is_from_source(name: str) -> bool:
    return name in DERIVED or bool(RECIPES.recipe(name).component)


OF_OTHER_SERVICES = {"direct-cpu", "sd-cpu", "chat"}
"""Those that test_processor_images.py and test_beside.py render."""


def test_every_template_that_is_shipped_is_rendered_into_the_folder() -> None:
    files = rendered()
    # What is built from a source tree is not of the CPU's stack, nor is what several hosts need,
    # which tests/unit/operations/test_render_hosts.py renders, nor what test_eject.py does.
    templates = {
        path.relative_to(places.shipped()).as_posix().removesuffix(".j2")
        for folder in ("images", "compose")
        for path in (places.shipped() / folder).rglob("*.j2")
        if path.parent.name not in {"hosts", "eject"}
        # Those are parts of haproxy.cfg, which is.
        if path.parent.name != "gateway" or path.name in {"haproxy.cfg.j2", "Dockerfile.j2"}
        if folder != "images" or not is_from_source(path.parent.name)
        if path.parent.name not in OF_OTHER_SERVICES
    }
    for name in templates:
        assert name.removeprefix("compose/") in files, name


def next_steps() -> Iterator[Any]:
    """Yield each text that may stand behind `next_step`, with where it stands."""
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "next_step":
                for text in texts_of(node.value):
                    yield pytest.param(text, id=f"{path.stem}:{node.value.lineno} {text}"[:70])


def texts_of(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=values):
            text = ""
            for one in values:
                known = "cpu" if text.endswith("--device ") else FILLED_IN
                text += str(one.value) if isinstance(one, ast.Constant) else known
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from texts_of(body)
            yield from texts_of(orelse)
        case _:
            pass


def ttctl_commands(text: str) -> list[list[str]]:
    """Return the arguments of every call of ttctl in a line for a shell."""
    found = []
    for part in re.split(r"&&|;", text.partition("   #")[0]):
        words = shlex.split(part)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if words[:1] == ["ttctl"]:
            found.append(words[1:])
    return found


def check(arguments: list[str]) -> None:
    """Read the words as the command would; a wrong one raises."""
    words, _ = split_flags(arguments)
    if words[:1] == ["--help"]:
        return
    verb, *rest = words
    verb = "up" if verb == FILLED_IN else verb
    assert verb in COMMANDS, f"there is no verb {verb}"
    module: Any = importlib.import_module(COMMANDS[verb][0])
    command = typer.main.get_command(module.app)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"there is no {verb} {rest[0]}"
        command, rest = command.commands[rest[0]], rest[1:]
    if "--help" not in rest:
        command.make_context(verb, rest)


@pytest.mark.parametrize("text", list(next_steps()))
def test_what_a_refusal_says_to_type_can_be_typed(text: str) -> None:
    for arguments in ttctl_commands(text):
        check(arguments)


def test_the_steps_that_are_checked_are_many_and_a_wrong_one_is_seen() -> None:
    found = [one.values[0] for one in next_steps()]
    assert sum(bool(ttctl_commands(text)) for text in found) > 20
    for wrong in (["upp", "x"], ["config", "get"], ["up", "x", "--bogus"], ["models", "shwo"]):
        with pytest.raises((AssertionError, click.UsageError)):
            check(wrong)


def test_nothing_is_left_for_later() -> None:
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not LEFT_FOR_LATER.search(text), path


def test_no_test_replaces_a_part_of_the_product_by_a_mock() -> None:
    banned = re.compile("mock" + r"\.patch|from unittest import mo" + "ck")
    for path in (ROOT / "tests").rglob("*.py"):
        assert not banned.search(path.read_text(encoding="utf-8")), path


GENERAL = {"/", "/app", "/build", "/code", "/home", "/opt", "/project", "/repo", "/root", "/src"}
GENERAL |= {"/srv", "/tmp", "/usr", "/var", "/workspace"}  # noqa: S108 - names, not used
"""Folders of which any text may speak."""


def test_no_path_of_the_machine_where_it_was_written_is_in_a_file() -> None:
    folders = {str(folder) for folder in (ROOT, ROOT.parent, Path.home())} - GENERAL
    private = re.compile(
        r"(?:^|[^\w./}-])(?:"
        # The user inside upstream's images is nobody here.
        + "|".join(
            [
                r"/(?:home|Users)/(?!container_app_user/)[a-z]\w*/\w",
                *(re.escape(f"{one}/") for one in folders),
            ]
        )
        + ")"
    )
    for path in tracked():
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        ):
            assert not private.search(line), f"{name_of(path)}:{number}: {line.strip()[:100]}"


def registry_hosts() -> set[str]:
    """Ask this machine where its packages come from; no list of hosts is written down."""
    said = [default_index()]
    said.append(
        subprocess.run(
            [sys.executable, "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    )
    if npm := shutil.which("npm"):
        asked = [npm, "config", "get", "registry"]
        said.append(subprocess.run(asked, capture_output=True, text=True, check=False).stdout)
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    said += [one.read_text(encoding="utf-8", errors="replace") for one in sources if one.is_file()]
    return set(re.findall(r"https?://(?:[^@/\s]*@)?([A-Za-z0-9.-]+)", "\n".join(said)))


def test_no_host_of_a_package_registry_is_named_in_a_file() -> None:
    hosts = registry_hosts()
    if not hosts:
        return
    found = re.compile("|".join(rf"(?<![\w.-]){re.escape(host)}(?![\w-])" for host in hosts))
    for path in tracked():
        text = path.read_text(encoding="utf-8", errors="replace")
        assert not found.search(text), name_of(path)
