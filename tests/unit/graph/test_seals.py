"""Stored secrets say by which form they were sealed; texts from before there were seals are read as they are."""

import pytest
from pydantic import SecretStr

from core.sealing import BrokenSealError
from core.settings import Settings
from graph.seals import Seals

SEALS = Seals(Settings(secret_key=SecretStr("a key of thirty-two characters..")))


def test_what_is_sealed_says_its_form_and_opens_in_its_place_only() -> None:
    stored = SEALS.seal("whsec_1", "brand|stripe")
    assert stored.startswith("sealed:v2:")
    assert "whsec_1" not in stored
    assert SEALS.open(stored, "brand|stripe") == "whsec_1"
    with pytest.raises(BrokenSealError):
        SEALS.open(stored, "brand|shopify")


@pytest.mark.parametrize("plain", ["", "whsec_1", '{"client_secret": "right"}', "seal"])
def test_a_text_from_before_there_were_seals_is_read_as_it_is(plain: str) -> None:
    assert SEALS.open(plain, "brand|stripe") == plain


@pytest.mark.parametrize("form", ["sealed:", "sealed:v1:", "sealed:v3:"])
def test_a_seal_of_another_form_is_refused_and_never_taken_for_the_secret(form: str) -> None:
    stored = SEALS.seal("whsec_1", "brand|stripe").replace("sealed:v2:", form)
    with pytest.raises(BrokenSealError):
        SEALS.open(stored, "brand|stripe")
