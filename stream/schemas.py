"""The Avro schemas: one file a record in `schemas/avro/`, references resolved."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent.parent / "schemas" / "avro"
PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}

Schema = dict[str, Any]


def declared(name: str) -> Schema:
    """The schema of the record `name` with every other record and enum it refers to written out, once."""
    resolved: Schema = _resolve(name, set())
    return resolved


def canonical(schema: Schema) -> str:
    """One text per schema: without docs, compact. What the registry is told and compared by."""
    return json.dumps(_without_docs(schema), separators=(",", ":"), ensure_ascii=False)


def _resolve(node: Any, seen: set[str]) -> Any:
    if isinstance(node, str):
        if node in PRIMITIVES or node in seen:
            return node
        seen.add(node)
        return _resolve(json.loads((FOLDER / f"{node}.avsc").read_text()), seen)
    if isinstance(node, list):
        return [_resolve(branch, seen) for branch in node]
    return dict(_resolved_items(node, seen))


def _resolved_items(node: Schema, seen: set[str]) -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if key == "fields":
            yield key, [{**field, "type": _resolve(field["type"], seen)} for field in value]
        elif key in ("items", "values") or (key == "type" and not isinstance(value, str)):
            yield key, _resolve(value, seen)
        else:
            yield key, value


def _without_docs(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_docs(part) for part in node]
    if isinstance(node, dict):
        return {key: _without_docs(value) for key, value in node.items() if key != "doc"}
    return node
