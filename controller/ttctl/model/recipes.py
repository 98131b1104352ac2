# SPDX-License-Identifier: Apache-2.0
"""What operations ask of the folders images/ and compose/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ttctl.model.image import ImageRecipe
    from ttctl.model.service import ServiceDefaults


class Recipes(Protocol):
    """The folders images/ and compose/."""

    def recipe(self, name: str) -> ImageRecipe:
        """Read one recipe."""

    def render(self, recipe: ImageRecipe, values: dict[str, str]) -> str:
        """Render a recipe's Dockerfile."""

    def template(self, path: str, values: dict[str, object]) -> str:
        """Render another template, by its path under compose/."""

    def yaml(self, value: dict[str, object]) -> str:
        """Write a compose file's text, parsed back and found equal."""

    def defaults(self, kind: str) -> ServiceDefaults:
        """Return how containers of this kind are launched."""
