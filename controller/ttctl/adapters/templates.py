# SPDX-License-Identifier: Apache-2.0
"""Read and render what images/ and compose/ hold; each template value passes a filter."""

from __future__ import annotations

import re
import shlex
from functools import cached_property
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.exceptions import TemplateError

from ttctl.adapters.recipe_files import recipe_in
from ttctl.adapters.services_file import read_services
from ttctl.adapters.yaml_text import yaml_of
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ttctl.model.image import ImageRecipe
    from ttctl.model.service import ServiceDefaults

HAPROXY_WORD = re.compile(r"[A-Za-z0-9._/:-]{1,256}")
_PLACEHOLDER = re.compile(r"\{\{.*?\}\}")
DOCKERFILE_VALUE = re.compile(r"(?! )[A-Za-z0-9._/:@=, -]{1,1024}(?<! )")


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
        return recipe_in(self._root / "images", name, replaced=self._replaced)

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
        return yaml_of(value)

    def defaults(self, kind: str) -> ServiceDefaults:
        """Return how containers of `kind` are launched."""
        if kind not in self._services:
            raise BadFileError(
                f"Nothing says how {kind!r} is launched.",
                why="compose/services.toml has no table of this name.",
                evidence=f"Tables: {', '.join(self._services)}.",
                next_step="pip install --force-reinstall ttctl",
            )
        return self._services[kind]

    @cached_property
    def _services(self) -> dict[str, ServiceDefaults]:
        return read_services(self._root / "compose" / "services.toml")

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
