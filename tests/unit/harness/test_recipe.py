from __future__ import annotations

import pytest
from stagehost.recipe import container_environment, recipe

NOTHING: dict[str, str] = {}


def digests(environ: dict[str, str] = NOTHING, ca: bytes = b"", requirements: bytes = b"pytest\n") -> tuple[str, str]:
    return recipe("bare", "13", environ, ca, requirements).digest, recipe(
        "prepared", "13", environ, ca, requirements
    ).digest


def test_equal_recipes_have_equal_digests() -> None:
    assert digests() == digests()


def test_a_change_rebuilds_the_image_that_it_concerns_and_those_made_from_it() -> None:
    bare, prepared = digests()
    other_bare, other_prepared = digests(requirements=b"pytest\nhypothesis\n")
    assert (bare == other_bare, prepared == other_prepared) == (True, False)
    other_bare, other_prepared = digests(ca=b"PEM")
    assert (bare == other_bare, prepared == other_prepared) == (False, False)


def test_the_releases_of_debian_share_no_image() -> None:
    twelve, thirteen = (recipe("bare", debian, NOTHING, b"", b"") for debian in ("12", "13"))
    assert twelve.image != thirteen.image
    assert twelve.digest != thirteen.digest


def test_only_addresses_are_taken_over_from_the_machine() -> None:
    environ = {
        "PIP_INDEX_URL": "https://pypi.example.com/simple",
        "PIP_EXTRA_INDEX_URL": "file:///srv/packages",
        "PIP_CERT": "/etc/machine.pem",
        "HOME": "/root",
    }
    assert container_environment(environ, own_ca=False) == {"PIP_INDEX_URL": "https://pypi.example.com/simple"}


def test_authorities_of_the_machine_reach_every_client_through_the_trust_store() -> None:
    found = container_environment({}, own_ca=True)
    assert set(found) == {"NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"}
    assert set(found.values()) == {"/etc/ssl/certs/ca-certificates.crt"}


@pytest.mark.parametrize(
    ("kind", "debian", "message"),
    [
        ("bare", "11", "no image for Debian 11; there is one for 12 and 13"),
        ("golden", "13", "no image is called golden; there are bare and prepared"),
    ],
)
def test_an_unknown_image_is_named_with_those_that_exist(kind: str, debian: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        recipe(kind, debian, NOTHING, b"", b"")
