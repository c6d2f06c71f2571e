"""What the start waits for beside Kafka and the store: the schemas that a service writes with."""

import urllib.error
from collections.abc import Iterable

from runtime.startup import Need, NotYet, refuse
from stream.codec import Codec
from stream.events import Record
from stream.registry import UnknownSchema

REFUSED = (401, 403)


def registry_answers(codec: Codec, url: str | None, kinds: Iterable[type[Record]]) -> Need:
    """A need: the schema registry at `url`, if there is one, knows the schemas of these records."""
    wanted = tuple(kinds)

    def ask() -> None:
        try:
            codec.prepare(wanted)
        except urllib.error.HTTPError as answer:
            if answer.code in REFUSED:
                refuse(f"the schema registry at {url} refuses its credentials (HTTP {answer.code})")
            raise NotYet(f"the schema registry at {url} (HTTP {answer.code})") from answer
        except (OSError, UnknownSchema) as away:
            raise NotYet(f"the schema registry at {url} ({away})") from away

    return ask
