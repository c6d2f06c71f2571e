"""The name of a person from the claims of an id token."""

import pytest

from console.login.oidc import OidcRefused, name_of


def test_the_preferred_name_comes_first_and_an_empty_one_is_none() -> None:
    assert name_of({"sub": "7", "email": "kim@example.test", "preferred_username": "kim"}) == "kim"
    assert name_of({"sub": "7", "email": "kim@example.test", "preferred_username": ""}) == "kim@example.test"


def test_a_token_that_names_nobody_is_refused() -> None:
    with pytest.raises(OidcRefused):
        name_of({"roles": ["operator"]})
