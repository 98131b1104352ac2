# SPDX-License-Identifier: Apache-2.0
"""The page at `/docs`: an OpenAPI document as plain HTML, without a script from elsewhere. Pure."""

from __future__ import annotations

from html import escape
from typing import Any

KIND = "text/html; charset=utf-8"
HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
_STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 sans-serif;max-width:50rem;margin:2rem auto;"
    "padding:0 1rem}td,th{text-align:left;padding:.2rem 1rem .2rem 0;vertical-align:top}"
)


def page(document: dict[str, Any]) -> bytes:
    """Return the page of a document."""
    title = escape(document["info"]["title"])
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
        '<meta name="viewport" content="width=device-width">',
        f"<style>{_STYLE}</style><h1>{title}</h1>",
        f"<p>{escape(document['info'].get('description', ''))}</p>",
        '<p><a href="openapi.json">openapi.json</a></p>',
    ]
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            summary = escape(one["summary"])
            parts.append(f"<h2>{method.upper()} {escape(path)}</h2><p>{summary}</p>")
            parts.append(_table(document, one.get("requestBody")))
    return "".join(parts).encode()


def _table(document: dict[str, Any], body: dict[str, Any] | None) -> str:
    if not body:
        return ""
    (kind,) = body["content"].values()
    schema = kind["schema"]
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    fields = schema["properties"].items()
    rows = "".join(
        f"<tr><th scope='row'><code>{escape(name)}</code></th><td>{escape(_said(field))}</td></tr>"
        for name, field in fields
    )
    return f"<table>{rows}</table>"


def _said(field: dict[str, Any]) -> str:
    """Return what a field takes, in words."""
    words = {
        "type": "{}",
        "minimum": "from {}",
        "maximum": "to {}",
        "maxLength": "at most {} characters",
        "pattern": "as {}",
        "default": "default {}",
        "description": "{}",
    }
    field = {**field, "type": _type(field)} if "type" in field else field
    said = [text.format(field[name]) for name, text in words.items() if name in field]
    if "enum" in field:
        said.insert(0, " or ".join(map(str, field["enum"])))
    return ", ".join(said)


def _type(field: dict[str, Any]) -> str:
    """Return the type's name; where `null` is as good as nothing, without it."""
    kind = field["type"]
    return kind if isinstance(kind, str) else " or ".join(one for one in kind if one != "null")
