"""Every outcome has an answer for a person who asks to retry the event; so has a schema registry that fails."""

from collections.abc import Mapping
from typing import get_args

import pytest
from sqlalchemy import Connection, create_engine

from runtime.management.routes import RequestRefused
from stream.avro.codec import Codec
from stream.avro.registry import CommittedRegistry
from stream.avro.registry_client import RegistryError
from stream.dead_letters.management_api import ManagementApi
from stream.dead_letters.refusals import NOT_RETRIED, PROCESSED
from stream.events.record import OutcomeKind


@pytest.mark.parametrize("outcome", get_args(OutcomeKind))
def test_an_event_of_every_outcome_is_refused_with_a_reason(outcome: str) -> None:
    assert outcome in PROCESSED or NOT_RETRIED[outcome]


class WithoutRegistry(ManagementApi):
    """An API whose schema registry fails while an event is shown."""

    def show(self, tx: Connection, fields: Mapping[str, object]) -> object:
        raise RegistryError("the schema registry at http://registry.test does not answer: timed out")


def test_a_request_while_the_schema_registry_fails_is_refused_and_not_an_internal_error() -> None:
    routes = WithoutRegistry("payment", create_engine("sqlite://"), Codec(CommittedRegistry())).routes()

    with pytest.raises(RequestRefused, match=r"registry\.test does not answer: timed out; try again") as refused:
        routes["GET", "/dead/show"]({})

    assert (refused.value.status, refused.value.error) == (503, "registry_away")
