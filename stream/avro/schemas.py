"""Reads the Avro schemas from `schemas/avro/`, one file per record or enum, and resolves their references."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "schemas" / "avro"
PRIMITIVES = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}

COMPLEX = {"record", "enum", "array", "map", "fixed", "error"}

Schema = dict[str, Any]
"""A named schema as decoded JSON. A schema in a schema may also be a name, or a list: a union."""


def declared(name: str) -> Schema:
    """Return the schema of the record `name`, in which each other record and enum is written out at its first use.

    Raises FileNotFoundError when the file of a schema is missing.
    """
    return _resolved(_read(name), {name})


def canonical(schema: Schema) -> str:
    """Return the schema as compact JSON without docs: the text to register, and to compare with a committed version."""
    return json.dumps(_without_docs(schema), separators=(",", ":"), ensure_ascii=False)


def normal(schema: object) -> str:
    """Return a text that is the same for schemas of the same meaning.

    Registries may drop docs, move namespaces and reorder keys. Raises RecursionError when the schema is nested too
    deeply, and TypeError, KeyError or AttributeError when it is not a schema.
    """
    return json.dumps(_normal(schema, ""), sort_keys=True, separators=(",", ":"))


def _normal(node: object, namespace: str) -> object:
    if isinstance(node, str):
        return _full(node, namespace)
    if isinstance(node, list):
        return [_normal(branch, namespace) for branch in node]
    if not isinstance(node, dict):
        raise TypeError("a schema is a name, a union or an object")
    parts = {key: value for key, value in node.items() if key not in ("doc", "namespace", "aliases")}
    if "name" in node:
        inside = _full(node["name"], node.get("namespace", namespace)).rpartition(".")[0]
        parts["name"] = _full(node["name"], node.get("namespace", namespace))
    else:
        inside = namespace
    for key in {"type", "items", "values"} & parts.keys():
        parts[key] = _normal(parts[key], inside)
    if "fields" in parts:
        parts["fields"] = [
            {key: value for key, value in field.items() if key != "doc"} | {"type": _normal(field["type"], inside)}
            for field in parts["fields"]
        ]
    return parts["type"] if parts.keys() == {"type"} else parts


def _full(name: str, namespace: str) -> str:
    plain = name in COMPLEX or name in PRIMITIVES or "." in name or not namespace
    return name if plain else f"{namespace}.{name}"


def _read(name: str) -> Schema:
    schema: Schema = json.loads((FOLDER / f"{name}.avsc").read_text())
    return schema


def _resolve(node: object, seen: set[str]) -> object:
    if isinstance(node, str):
        if node in PRIMITIVES or node in seen:
            return node
        seen.add(node)
        return _resolved(_read(node), seen)
    if isinstance(node, list):
        return [_resolve(branch, seen) for branch in node]
    return _resolved(node, seen) if isinstance(node, dict) else node


def _resolved(schema: Schema, seen: set[str]) -> Schema:
    return dict(_resolved_items(schema, seen))


def _resolved_items(node: Schema, seen: set[str]) -> Iterator[tuple[str, object]]:
    for key, value in node.items():
        if key == "fields":
            yield key, [{**field, "type": _resolve(field["type"], seen)} for field in value]
        elif key in ("items", "values") or (key == "type" and not isinstance(value, str)):
            yield key, _resolve(value, seen)
        else:
            yield key, value


def _without_docs(node: object) -> object:
    if isinstance(node, list):
        return [_without_docs(part) for part in node]
    if isinstance(node, dict):
        return {key: _without_docs(value) for key, value in node.items() if key != "doc"}
    return node
