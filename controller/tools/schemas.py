# SPDX-License-Identifier: Apache-2.0
"""Write docs/schemas: one JSON Schema for each thing that ttctl prints for programs.

`python controller/tools/schemas.py [FOLDER]`, or `make docs`. The types are the product's own; the
descriptions are the docstrings of their fields.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import sys
import textwrap
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

import ttctl.model
import ttctl.operations
from ttctl.cli.answers import ANSWERS, EVENTS, LINES, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


class _Printed(GenerateJsonSchema):
    """What is printed: every field is there, those with a default too."""

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: ANN401, ARG002, FBT001 - the library's signature
        """Return yes."""
        return True


def schemas() -> dict[str, Schema]:
    """Return each schema by the name of its file."""
    found = {kind: _envelope(kind, "data", type_) for kind, type_ in {**ANSWERS, **LINES}.items()}
    found["error"] = _envelope("error", "error", Refusal)
    found["event"] = _events()
    return {f"{kind}-1.json": schema for kind, schema in sorted(found.items())}


def texts() -> dict[str, str]:
    """Return each file's text by its name."""
    return {name: json.dumps(schema, indent=2) + "\n" for name, schema in schemas().items()}


def _envelope(kind: str, key: str, type_: object) -> Schema:
    body, definitions = _described(type_)
    return {
        "$schema": DIALECT,
        "title": f"ttctl.{kind}/1",
        "type": "object",
        "properties": {"schema": {"const": f"ttctl.{kind}/1"}, key: body},
        "required": ["schema", key],
        **({"$defs": definitions} if definitions else {}),
    }


def _events() -> Schema:
    """Return the schema of one line on stderr: one of several shapes, told apart by `event`."""
    shapes = []
    for name, type_ in EVENTS.items():
        shape, _ = _described(type_)
        head = {
            "schema": {"const": "ttctl.event/1"},
            "time": {"type": "string", "format": "date-time", "description": "UTC."},
            "event": {"const": name},
        }
        shape["properties"] = {**head, **shape["properties"]}
        shape["required"] = [*head, *shape["required"]]
        shapes.append(shape)
    return {"$schema": DIALECT, "title": "ttctl.event/1", "oneOf": shapes}


def _described(type_: object) -> tuple[Schema, Schema]:
    """Return the schema of a type, and the definitions that it refers to."""
    adapter = TypeAdapter(type_)
    # The values import some of their types for type checkers alone.
    adapter.rebuild(force=True, _types_namespace=_names())
    schema = adapter.json_schema(mode="serialization", schema_generator=_Printed)
    definitions = schema.pop("$defs", {})
    for one in (schema, *definitions.values()):
        _describe(one, _class_of(one))
    return schema, definitions


def _class_of(schema: Schema) -> Any:  # noqa: ANN401 - any dataclass
    """Return the dataclass that a schema is of, if it is of one: its name and its fields say it.

    Raises:
        TypeError: There are two of these. Which one it is would depend on what is imported last.
    """
    candidates = [one for module in _modules() for one in vars(module).values()]
    found = {
        one
        for one in (*candidates, Refusal, *EVENTS.values())
        if isinstance(one, type)
        and is_dataclass(one)
        and one.__name__ == schema.get("title")
        and {field.name for field in fields(one)} == schema.get("properties", {}).keys()
    }
    if len(found) > 1:
        message = f"several dataclasses are called {schema['title']}: {found}"
        raise TypeError(message)
    return found.pop() if found else None


def _modules() -> Iterator[ModuleType]:
    for package in (ttctl.model, ttctl.operations):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            yield importlib.import_module(module.name)


def _names() -> dict[str, Any]:
    names: dict[str, Any] = {"Path": Path, "Refusal": Refusal}
    names |= {type_.__name__: type_ for type_ in EVENTS.values()}
    for module in _modules():
        names |= {name: one for name, one in vars(module).items() if name[0].isupper()}
    return names


def _describe(schema: Schema, cls: Any) -> None:  # noqa: ANN401 - any dataclass
    """Give the fields of an object the docstrings that stand under them; titles say nothing."""
    schema.pop("title", None)
    if cls and "description" not in schema:
        # pydantic below 2.12 leaves the docstring of a class with slots out.
        rest = dict(schema)
        schema.clear()
        schema.update({"description": inspect.cleandoc(cls.__doc__ or ""), **rest})
    said = _field_docs(cls) if cls else {}
    for name, one in schema.get("properties", {}).items():
        one.pop("title", None)
        if name in said:
            one["description"] = said[name]


def _field_docs(cls: Any) -> dict[str, str]:  # noqa: ANN401 - any dataclass
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
    said: dict[str, str] = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    said[field.target.id] = " ".join(text.split())
    return said


def main(folder: Path) -> None:
    """Write every schema, and remove those that nothing prints."""
    folder.mkdir(parents=True, exist_ok=True)
    written = texts()
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")
    for path in folder.glob("*.json"):
        if path.name not in written:
            path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
