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


def test_a_change_rebuilds_the_image_and_its_children() -> None:
    bare, prepared = digests()
    other_bare, other_prepared = digests(requirements=b"pytest\nhypothesis\n")
    assert (bare == other_bare, prepared == other_prepared) == (True, False)
    other_bare, other_prepared = digests(ca=b"PEM")
    assert (bare == other_bare, prepared == other_prepared) == (False, False)


def test_each_debian_release_has_its_own_images() -> None:
    twelve, thirteen = (recipe("bare", debian, NOTHING, b"", b"") for debian in ("12", "13"))
    assert twelve.image != thirteen.image
    assert twelve.digest != thirteen.digest


def test_only_urls_are_copied_from_the_machine() -> None:
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
        ("bare", "11", "no image for Debian 11; choose 12 or 13"),
        ("golden", "13", "unknown image golden; choose bare or prepared"),
    ],
)
def test_an_unknown_image_is_refused_with_the_choices(kind: str, debian: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        recipe(kind, debian, NOTHING, b"", b"")
