# SPDX-License-Identifier: Apache-2.0
"""Read and render what images/ and compose/ hold; each template value passes a filter."""

from __future__ import annotations

import re
import shlex
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.exceptions import TemplateError
from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml
from ttctl.errors import BadFileError
from ttctl.model.image import ImageRecipe
from ttctl.model.service import HealthCheck, ServiceDefaults

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RelativePath = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$")
]
HAPROXY_WORD = re.compile(r"[A-Za-z0-9._/:-]{1,256}")
TEXT = "tag:yaml.org,2002:str"
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
DOCKERFILE_VALUE = re.compile(r"(?! )[A-Za-z0-9._/:@=, -]{1,1024}(?<! )")


class RecipeFile(BaseModel):
    """`image.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    parent: str
    files: tuple[RelativePath, ...] = ()
    borrowed: tuple[RelativePath, ...] = ()
    """Files of other folders under images/; each lies in the context by its last name."""
    wheelhouse: bool = False
    index: str = ""
    values: tuple[Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")], ...] = ()
    component: Literal["", "tt-metal", "vllm"] = ""
    tree: bool = False
    memory_gb: int = Field(default=0, ge=0)
    disk_gb: int = Field(default=0, ge=0)


class ServiceEntry(BaseModel):
    """One table of compose/services.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: int = Field(ge=1024, le=65535)
    restart: str = Field(pattern=r"^(no|unless-stopped)$")
    memory_mib: int = 0
    pids: int
    tmpfs_mib: int
    shm_mib: int
    stop_grace_s: int = Field(ge=60)
    health: tuple[str, ...]
    health_interval_s: int
    health_timeout_s: int
    health_retries: int
    health_start_period_s: int
    environment: dict[str, str] = Field(default_factory=dict)
    models: str = ""
    paths: tuple[str, ...] = ()
    max_body_bytes: int = 0
    retry_after_s: int = 0


class ServicesFile(BaseModel):
    """compose/services.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    services: dict[str, ServiceEntry]


class ShippedRecipes:
    """The folders images/ and compose/ that ttctl ships."""

    def __init__(
        self, root: Path, *, replaced: Mapping[tuple[str, str], Path] | None = None
    ) -> None:
        """Remember where things lie.

        Args:
            root: Folder that holds images/ and compose/.
            replaced: (recipe, file) to the host path of what stands in its place.
        """
        self._root = root
        self._replaced = replaced or {}

    def recipe(self, name: str) -> ImageRecipe:
        """Read images/NAME.

        Raises:
            BadFileError: image.toml or a file that it names is missing or wrong.
        """
        folder = self._root / "images" / name
        parsed = parse_toml(folder / "image.toml", RecipeFile)
        return ImageRecipe(
            name=name,
            description=parsed.description,
            parent=parsed.parent,
            template=_text(folder / "Dockerfile.j2"),
            files=tuple(
                (path, _text(found), _is_script(found))
                for path, found in self._files(name, parsed).items()
            ),
            wheelhouse=parsed.wheelhouse,
            index=parsed.index,
            values=parsed.values,
            component=parsed.component,
            tree=parsed.tree,
            memory_gb=parsed.memory_gb,
            disk_gb=parsed.disk_gb,
        )

    def _files(self, name: str, parsed: RecipeFile) -> dict[str, Path]:
        """Return where each file of a recipe's context comes from."""
        images = self._root / "images"
        own = {
            path: self._replaced.get((name, path), images / name / path) for path in parsed.files
        }
        return own | {path.rpartition("/")[2]: images / path for path in parsed.borrowed}

    def names(self) -> tuple[str, ...]:
        """Return every recipe's name."""
        return tuple(
            sorted(path.parent.name for path in (self._root / "images").glob("*/image.toml"))
        )

    def render(self, recipe: ImageRecipe, values: dict[str, str]) -> str:
        """Render a recipe's Dockerfile.

        Raises:
            BadFileError: The template uses a name that it does not get, or a value is unsafe, or
                the text has another shape than the template.
        """
        checked = {name: _dockerfile_value(value) for name, value in values.items()}
        text = self._render(self._environment.from_string(recipe.template), recipe.name, checked)
        if _instructions(text) != _instructions(recipe.template):
            raise BadFileError(
                f"The Dockerfile of {recipe.name!r} changed its shape when it was rendered.",
                why="A value added or removed an instruction.",
                evidence=repr(values),
                next_step="ttctl render --help",
            )
        return text

    def template(self, path: str, values: dict[str, object]) -> str:
        """Render compose/PATH."""
        return self._render(self._environment.get_template(path), path, values)

    def yaml(self, value: dict[str, object]) -> str:
        """Write `value` as YAML; every string that YAML could misread is quoted.

        Raises:
            BadFileError: The text does not read back as the same value.
        """
        try:
            text = yaml.dump(value, Dumper=_PlainDumper, sort_keys=False, width=100)
            same = yaml.safe_load(text) == value
        except (yaml.YAMLError, UnicodeError) as exc:
            raise _unwritable(str(exc)) from exc
        if not same:
            raise _unwritable("The text reads back as another value.")
        return text

    def defaults(self, kind: str) -> ServiceDefaults:
        """Return how containers of `kind` are launched."""
        if kind not in self._services:
            raise BadFileError(
                f"Nothing says how {kind!r} is launched.",
                why="compose/services.toml has no table of this name.",
                evidence=f"Tables: {', '.join(self._services)}.",
                next_step="pip install --force-reinstall ttctl",
            )
        entry = self._services[kind]
        return ServiceDefaults(
            port=entry.port,
            restart=entry.restart,
            memory_mib=entry.memory_mib,
            pids=entry.pids,
            tmpfs_mib=entry.tmpfs_mib,
            shm_mib=entry.shm_mib,
            stop_grace_s=entry.stop_grace_s,
            health=HealthCheck(
                test=entry.health,
                interval_s=entry.health_interval_s,
                timeout_s=entry.health_timeout_s,
                retries=entry.health_retries,
                start_period_s=entry.health_start_period_s,
            ),
            environment=tuple(sorted(entry.environment.items())),
            models=entry.models,
            paths=entry.paths,
            max_body_bytes=entry.max_body_bytes,
            retry_after_s=entry.retry_after_s,
        )

    @cached_property
    def _services(self) -> dict[str, ServiceEntry]:
        path = self._root / "compose" / "services.toml"
        return parse_toml(path, ServicesFile, wrap="services").services

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(self._root / "compose"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,  # noqa: S701 - no HTML; each value passes a filter of its own
        )
        environment.filters["haproxy"] = _haproxy
        environment.filters["sh"] = shlex.quote
        return environment

    def _render(
        self, template: object, name: str, values: dict[str, object] | dict[str, str]
    ) -> str:
        try:
            return str(template.render(**values))  # type: ignore[attr-defined]
        except TemplateError as exc:
            raise BadFileError(
                f"The template {name!r} cannot be rendered.",
                why="It uses a name that it does not get, or a filter refused a value.",
                evidence=str(exc),
                next_step="pip install --force-reinstall ttctl",
            ) from exc


def _unwritable(why: str) -> BadFileError:
    return BadFileError(
        "The compose file does not read back as it was meant.",
        why="A value is not what YAML can hold.",
        evidence=why,
        next_step="ttctl config site",
    )


class _PlainDumper(yaml.SafeDumper):
    """Lists indented under their key, no anchors, strings quoted unless they are plain words."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    text.encode()  # half a character, as of a path that is no UTF-8, is refused
    # One letter: `y` and `n` are switches to other readers of YAML 1.1.
    word = re.fullmatch(r"[A-Za-z][A-Za-z_-]+", text)
    plain = word and dumper.resolve(yaml.ScalarNode, text, (True, False)) == TEXT  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(TEXT, text, style=None if plain else '"')


_PlainDumper.add_representer(str, _represent_text)


def _instructions(text: str) -> list[str]:
    """Return the instructions in order; of FROM, which makes a stage, the shape and the name."""
    words: list[str] = []
    continued = False
    for line in _PLACEHOLDER.sub("x", text).splitlines():
        stripped = line.strip()
        if not continued and stripped and not stripped.startswith("#"):
            word, *rest = stripped.split()
            words.append(word)
            words += [str(len(rest)), *rest[1:]] if word == "FROM" else []
        continued = stripped.endswith("\\")
    return words


def _dockerfile_value(value: str) -> str:
    if not DOCKERFILE_VALUE.fullmatch(value):
        raise BadFileError(
            f"A value cannot stand in a Dockerfile: {value[:80]!r}.",
            why="It holds a character that could end the instruction or begin another.",
            evidence="Allowed: letters, digits, space and . _ / : @ = , -",
            next_step="ttctl config site",
        )
    return value


def _haproxy(value: object) -> str:
    text = str(value)
    if not HAPROXY_WORD.fullmatch(text):
        raise BadFileError(
            f"A value cannot stand in the gateway's configuration: {text[:80]!r}.",
            why="It holds a character that could end a word or begin another line.",
            evidence="Allowed: letters, digits and . _ / : -",
            next_step="pip install --force-reinstall ttctl",
        )
    return text


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise BadFileError(
            f"{str(path)!r} cannot be read.",
            why=str(exc),
            evidence=str(path),
            next_step="pip install --force-reinstall ttctl",
        ) from exc


def _is_script(path: Path) -> bool:
    """Whether a file is to be executable: by its first bytes, since a wheel keeps no mode."""
    with path.open("rb") as file:
        return file.read(2) == b"#!"
