"""What gets certificates for the test server."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

#: What certbot writes to its standard error if an authority does not see the answer to a challenge.
CHALLENGES_FAILED = """\
Saving debug log to /data/logs/letsencrypt.log
Some challenges have failed.
Ask for help or search for solutions at https://community.letsencrypt.org."""


class CertbotError(Exception):
    """certbot failed; its standard error."""


class Certbot:
    """Issues a certificate that signs itself, for tests of all but the order.

    :param error: The standard error with which it fails; empty to succeed.
    """

    def __init__(self, error: str = "", takes_s: float = 0.05, valid_s: float = 90 * 86400) -> None:
        self.error = error
        self.takes_s = takes_s
        self.valid_s = valid_s
        #: Names and e-mail address of each order.
        self.orders: list[tuple[tuple[str, ...], str]] = []

    def order(self, names: Sequence[str], email: str, webroot: Path, target: Path) -> float:  # noqa: ARG002 - certbot's
        """Put ``cert.pem`` and ``key.pem`` into a directory.

        :returns: When it expires.
        :raises CertbotError: If there is none.
        """
        self.orders.append((tuple(names), email))
        time.sleep(self.takes_s)
        if self.error:
            raise CertbotError(self.error)
        target.mkdir(parents=True)
        alternative = ",".join(f"DNS:{name}" for name in names)
        command = [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "90", "-subj", f"/CN={names[0]}"),
            *("-addext", f"subjectAltName={alternative}"),
            *("-keyout", f"{target}/key.pem", "-out", f"{target}/cert.pem"),
        ]
        subprocess.run(command, check=True, capture_output=True)
        return time.time() + self.valid_s


class RealCertbot(Certbot):
    """certbot itself, as the program calls it, with an authority of a test.

    :param directory: URL of the authority's ACME directory.
    :param ca: File with the authority of its own server.
    :param folder: For everything that certbot writes.
    """

    def __init__(self, directory: str, ca: Path, folder: Path) -> None:
        super().__init__()
        self._directory = directory
        self._ca = ca
        self._folder = folder

    def order(self, names: Sequence[str], email: str, webroot: Path, target: Path) -> float:
        self.orders.append((tuple(names), email))
        webroot.mkdir(exist_ok=True)
        places = [part for each in ("config", "work", "logs") for part in (f"--{each}-dir", f"{self._folder}/{each}")]
        done = subprocess.run(
            [
                *("certbot", "certonly", "-n", *places, "--cert-name", target.name, "--agree-tos"),
                *("--authenticator", "webroot", "-w", str(webroot), "-m", email, "--no-eff-email"),
                *("--preferred-challenges", "http", "--domains", ",".join(names), "--server", self._directory),
            ],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "REQUESTS_CA_BUNDLE": str(self._ca)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CertbotError(done.stderr)
        target.mkdir(parents=True)
        live = self._folder / "config" / "live" / target.name
        shutil.copy(live / "fullchain.pem", target / "cert.pem")
        shutil.copy(live / "privkey.pem", target / "key.pem")
        return time.time() + self.valid_s
