"""How the versions differ, as measured on the real program."""

from __future__ import annotations

from typing import NamedTuple

VERSIONS = ("2.9.19", "2.11.3", "2.12.6", "2.13.5", "2.15.1")


class Behaviour(NamedTuple):
    """The behaviour of one version."""

    version: tuple[int, int, int]
    answers_booleans: bool
    bad_login: int
    malformed_token: int
    extra_login_keys: int
    unknown_host: int
    empty_put: int
    has_two_factor: bool
    custom_location_text_first: bool
    #: Status of a request without a token, and of one that the account has no permission for. 404 is a bug of theirs.
    no_permission: int
    #: Status of a token that has expired.
    expired_token: int
    #: Whether the rules of an access list end in ``deny all`` without an address too.
    always_denies: bool
    #: Whether the value of HSTS is a variable, which is empty without TLS.
    hsts_by_scheme: bool
    #: Whether X-Forwarded-Proto of a client is passed on, and the host has a field on whether to trust it.
    trusts_forwarded_proto: bool
    #: Whether a request for a certificate names the e-mail address; otherwise it is refused, and the account's is used.
    email_in_request: bool
    #: What a failed command is called in the answer to such a request.
    command_error: str
    #: Whether the answer to an error that is not public has its status.
    code_of_internal_error: int | None


def behaviour(version: str) -> Behaviour:
    """The behaviour of a version."""
    parts = tuple(int(part) for part in version.split("."))
    assert len(parts) == 3
    return Behaviour(
        version=parts,
        answers_booleans=parts >= (2, 12, 0),
        bad_login=400 if parts >= (2, 13, 0) else 401,
        malformed_token=500,
        extra_login_keys=400 if parts >= (2, 12, 0) else 200,
        unknown_host=200 if parts == (2, 11, 3) else 404,
        empty_put=400 if parts >= (2, 12, 6) else 200,
        has_two_factor=parts >= (2, 13, 6),
        custom_location_text_first=parts >= (2, 11, 3),
        no_permission=404 if parts >= (2, 13, 0) else 403,
        expired_token=400 if parts >= (2, 13, 0) else 401,
        always_denies=parts < (2, 15, 0),
        hsts_by_scheme=parts >= (2, 11, 0),
        trusts_forwarded_proto=parts >= (2, 14, 0),
        email_in_request=parts < (2, 13, 0),
        command_error="CommandError: " if parts >= (2, 11, 0) else "Error: Command failed: certbot certonly\n",
        code_of_internal_error=500 if parts >= (2, 15, 0) else None,
    )
