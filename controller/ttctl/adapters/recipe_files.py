# SPDX-License-Identifier: Apache-2.0
"""What does a folder under images/ say, and which files does its image take?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from ttctl.adapters.toml import parse_toml
from ttctl.errors import BadFileError
from ttctl.model.image import ImageRecipe

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RelativePath = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$")
]


class RecipeFile(BaseModel):
    """`image.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    parent: str
    files: tuple[RelativePath, ...] = ()
    borrowed: tuple[RelativePath, ...] = ()
    """Files of other folders under images/; each lies in the context by its last name."""
    packages: tuple[RelativePath, ...] = ()
    """Folders of Python files under images/; each lies in the context by its last name."""
    wheelhouse: bool = False
    index: str = ""
    values: tuple[Annotated[str, Field(pattern=r"^[a-z_]{1,32}$")], ...] = ()
    component: Literal["", "tt-metal", "vllm"] = ""
    tree: bool = False
    memory_gb: int = Field(default=0, ge=0)
    disk_gb: int = Field(default=0, ge=0)
    verified: bool = False
    """Whether `verify` runs in the image right after each build."""


def recipe_in(images: Path, name: str, *, replaced: Mapping[tuple[str, str], Path]) -> ImageRecipe:
    """Read the folder `name` under `images`.

    Args:
        replaced: (recipe, file) to the host path of what stands in its place.

    Raises:
        BadFileError: image.toml or a file that it names is missing or wrong.
    """
    folder = images / name
    parsed = parse_toml(folder / "image.toml", RecipeFile)
    files = _own(folder, parsed, replaced) | _borrowed(images, parsed)
    return ImageRecipe(
        name=name,
        description=parsed.description,
        parent=parsed.parent,
        template=_text(folder / "Dockerfile.j2"),
        files=tuple((path, _text(found), _is_script(found)) for path, found in files.items()),
        wheelhouse=parsed.wheelhouse,
        index=parsed.index,
        values=parsed.values,
        component=parsed.component,
        tree=parsed.tree,
        memory_gb=parsed.memory_gb,
        disk_gb=parsed.disk_gb,
        verify=_text(folder / "verify") if parsed.verified else "",
    )


def _own(
    folder: Path, parsed: RecipeFile, replaced: Mapping[tuple[str, str], Path]
) -> dict[str, Path]:
    return {path: replaced.get((folder.name, path), folder / path) for path in parsed.files}


def _borrowed(images: Path, parsed: RecipeFile) -> dict[str, Path]:
    """Return where each file comes from that lies in another folder."""
    single = {path.rpartition("/")[2]: images / path for path in parsed.borrowed}
    for path in parsed.packages:
        modules = sorted((images / path).glob("*.py"))
        # One that is not there is refused as any other file is.
        for file in modules or [images / path / "__init__.py"]:
            single[f"{path.rpartition('/')[2]}/{file.name}"] = file
    return single


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
