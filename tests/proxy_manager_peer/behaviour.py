"""How the versions differ, as measured on the real program."""

from __future__ import annotations

from typing import NamedTuple

VERSIONS = ("2.9.19", "2.11.3", "2.12.6", "2.13.5", "2.15.1")


class Behaviour(NamedTuple):
    """The behaviour of one version."""

    version: tuple[int, int, int]
    answers_booleans: bool
    bad_login: int
    no_token: int
    malformed_token: int
    extra_login_keys: int
    unknown_host: int
    empty_put: int
    has_two_factor: bool
    custom_location_text_first: bool


def behaviour(version: str) -> Behaviour:
    """The behaviour of a version."""
    parts = tuple(int(part) for part in version.split("."))
    assert len(parts) == 3
    return Behaviour(
        version=parts,
        answers_booleans=parts >= (2, 12, 0),
        bad_login=400 if parts >= (2, 13, 0) else 401,
        no_token=404 if parts >= (2, 13, 0) else 403,
        malformed_token=500,
        extra_login_keys=400 if parts >= (2, 12, 0) else 200,
        unknown_host=200 if parts == (2, 11, 3) else 404,
        empty_put=400 if parts >= (2, 12, 6) else 200,
        has_two_factor=parts >= (2, 13, 6),
        custom_location_text_first=parts >= (2, 11, 3),
    )
