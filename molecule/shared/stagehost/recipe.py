"""Image recipes: shell scripts with their inputs, and a digest that changes with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

RECIPES = Path(__file__).parent / "recipes"
MIRROR = "http://deb.debian.org/debian"
RELEASES = {"12": "bookworm", "13": "trixie"}

# The versions that the role `runtime` installs; this npm runs on the Node.js of Debian 12 (18.20) and 13 (20.19).
NPM_VERSION = "10.9.9"
NPM_INTEGRITY = "sha512-1g+6jLQvaIuB4zwvHL7yrXuXcWZwDsCtBX8bbWDqbvJSSr9nPiDDWTHNgwXR27iIcTTW7v3A57hDW9RYv2W4Yg=="
PM2_VERSION = "7.0.4"
# Libraries that read env files, and a WebSocket server, for the tests that run inside a container.
NODE_PACKAGES = ("dotenv@18.0.10", "@next/env@16.4.6", "ws@8.23.0")
# Variables that downloads inside a container need as well.
REGISTRY_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "NPM_CONFIG_REGISTRY")
CA_VARIABLES = ("NODE_EXTRA_CA_CERTS", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
TRUST_STORE = "/etc/ssl/certs/ca-certificates.crt"


@dataclass(frozen=True)
class Recipe:
    """One image: a script that runs in the parent image, with its variables and files."""

    name: str
    parent: Recipe | None
    script: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def image(self) -> str:
        return f"localhost/codeframe-staging/{self.name}:latest"

    @property
    def digest(self) -> str:
        """Equal for equal recipes, their parents included."""
        parts = [self.parent.digest if self.parent else "", self.name, self.script]
        parts += [f"{key}={value}" for key, value in sorted(self.variables.items())]
        parts += [f"{name}:{hashlib.sha256(data).hexdigest()}" for name, data in sorted(self.files.items())]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def container_environment(environ: Mapping[str, str], own_ca: bool) -> dict[str, str]:
    """The variables of every login shell in a container.

    Only URLs are copied: paths of the machine do not exist in the container.
    """
    found = {name: environ[name] for name in REGISTRY_VARIABLES if environ.get(name, "").startswith("http")}
    if own_ca:
        found |= dict.fromkeys(CA_VARIABLES, TRUST_STORE)
    return found


def recipe(kind: str, debian: str, environ: Mapping[str, str], ca: bytes, requirements: bytes) -> Recipe:
    """The recipe of ``base``, ``bare`` or ``prepared`` for a Debian release.

    :param environ: The machine's environment.
    :param ca: The machine's own certificate authorities (PEM); empty if it has none.
    :param requirements: The packages of the tests that run inside a container.
    :raises ValueError: If there is no such image or release.
    """
    if debian not in RELEASES:
        raise ValueError(f"no image for Debian {debian}; choose {' or '.join(RELEASES)}")
    base = Recipe(f"base-{debian}", None, variables={"suite": RELEASES[debian], "mirror": MIRROR})
    if kind == "base":
        return base
    environment = container_environment(environ, own_ca=bool(ca))
    bare = Recipe(
        f"bare-{debian}",
        base,
        (RECIPES / "bare.sh").read_text(),
        files={
            "ca.pem": ca,
            "environment": "".join(f"{name}={value}\n" for name, value in environment.items()).encode(),
        },
    )
    if kind == "bare":
        return bare
    if kind != "prepared":
        raise ValueError(f"unknown image {kind}; choose bare or prepared")
    registry = environment.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")
    return Recipe(
        f"prepared-{debian}",
        bare,
        (RECIPES / "prepared.sh").read_text(),
        variables={
            "NPM_URL": f"{registry}/npm/-/npm-{NPM_VERSION}.tgz",
            "NPM_INTEGRITY": NPM_INTEGRITY,
            "PM2_VERSION": PM2_VERSION,
            "NODE_PACKAGES": " ".join(NODE_PACKAGES),
        },
        files={"requirements-integration.txt": requirements},
    )
