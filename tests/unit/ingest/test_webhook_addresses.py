"""Which addresses webhooks may reach, whatever they are wrapped in."""

import ipaddress

import pytest

from core.errors import InvalidInputError
from ingest.changes.addresses import check_url, is_public


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1",
        "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_everything_else_is_not(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def test_a_refusal_names_the_field_and_not_the_address() -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_url("http://10.20.30.40/secret-path", allow_private=False)
    assert refused.value.field == "url"
    assert "10.20.30.40" not in str(refused.value)
    assert check_url("http://10.20.30.40/path", allow_private=True) == "http://10.20.30.40/path"
