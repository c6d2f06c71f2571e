"""The type of decoded JSON that a service of ours wrote: its reader knows the shape, and a wrong one is a KeyError.

JSON from anybody else is decoded into a struct, or is an `object` whose type is checked before it is used.
"""

from typing import Any, TypeAlias

JsonValue: TypeAlias = Any
