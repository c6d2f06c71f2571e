"""`hookstream order` asks the confirmer about webhooks of each provider whose API confirms them."""

from cli.commands.log.order import CONFIRMED
from console.labels import provider_word
from providers.catalogue import ROWS


def test_the_names_are_those_of_the_catalogue() -> None:
    assert set(CONFIRMED) == {provider_word(row.name) for row in ROWS if row.api_verification}
