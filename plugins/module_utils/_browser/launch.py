# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a headless Chromium of one's own, with an empty profile, and end it with everything it started."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .._host import files
from .._host.command import Running, run, running

#: Names under which distributions and vendors install it, the first one found is used.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome", "microsoft-edge-stable")
_PORT_FILE = "DevToolsActivePort"


class BrowserError(Exception):
    """The browser could not be started or stopped answering; the message says why."""


@dataclass(frozen=True)
class Endpoint:
    """Where a started browser answers the DevTools protocol: a ``ws://127.0.0.1`` URL that holds a secret part."""

    url: str


def find_browser(path: str = "") -> str | None:
    """Return the program to start.

    :param path: A program that the user names; by default the first of :data:`PROGRAMS` on the path.
    """
    if path:
        return shutil.which(path)
    return next((found for found in (shutil.which(name) for name in PROGRAMS) if found), None)


def arguments(profile: str, *, as_root: bool, resolve: Mapping[str, str]) -> list[str]:
    """The arguments for a headless browser that talks to nobody but the page.

    :param resolve: Host names and the addresses to connect to instead of those that they resolve to.
    """
    rules = ",".join(f"MAP {name} {f'[{address}]' if ':' in address else address}" for name, address in resolve.items())
    return [
        "--headless",
        # Chromium refuses to run as root with its sandbox; for other users the sandbox stays.
        *(["--no-sandbox"] if as_root else []),
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--disable-client-side-phishing-detection",
        "--disable-component-update",
        "--disable-default-apps",
        "--disable-domain-reliability",
        "--disable-extensions",
        "--disable-features=OptimizationHints,MediaRouter,Translate,HttpsUpgrades,HttpsFirstBalancedModeAutoEnable",
        "--disable-sync",
        "--metrics-recording-only",
        "--mute-audio",
        "--no-default-browser-check",
        "--no-first-run",
        "--no-pings",
        "--no-proxy-server",
        "--password-store=basic",
        "--remote-debugging-address=127.0.0.1",
        "--remote-debugging-port=0",
        f"--user-data-dir={profile}",
        "--window-size=1280,900",
        *([f"--host-resolver-rules={rules}"] if rules else []),
        "about:blank",
    ]


@contextlib.contextmanager
def started(program: str, *, resolve: Mapping[str, str], ca_path: str = "", deadline: float) -> Iterator[Endpoint]:
    """Start the browser and yield where it answers; end it, its children and its profile afterwards.

    :param ca_path: File with a certificate authority that the browser trusts beside its own, as PEM.
    :param deadline: By the clock of ``time.monotonic()``, for the start alone.
    :raises BrowserError: If it does not start, or cannot be made to trust the authority.
    """
    with tempfile.TemporaryDirectory(prefix="codeframe-browser-", ignore_cleanup_errors=True) as profile:
        if ca_path:
            _trust(ca_path, profile, deadline)
        command = [program, *arguments(profile, as_root=os.geteuid() == 0, resolve=resolve)]
        environment = {
            name: os.environ[name] for name in ("PATH", "LANG", "TZ", "XDG_RUNTIME_DIR") if name in os.environ
        }
        # Nothing of the caller's home is read or written.
        environment.update(HOME=profile, XDG_CONFIG_HOME=profile, XDG_CACHE_HOME=profile)
        with contextlib.ExitStack() as stack:
            try:
                browser = stack.enter_context(running(command, cwd=profile, env=environment))
            except OSError as error:
                raise BrowserError(f"{program} cannot be started ({error.strerror})") from None
            yield Endpoint(_await_endpoint(browser, program, profile, deadline))


def _trust(ca_path: str, profile: str, deadline: float) -> None:
    """Put an authority into the NSS database of the profile's home, where Chromium looks for those of the user."""
    certutil = shutil.which("certutil")
    if certutil is None:
        raise BrowserError("certutil is missing, which ca_path needs; install Debian's package libnss3-tools")
    database = os.path.join(profile, ".pki", "nssdb")
    os.makedirs(database, mode=0o700)
    for arguments_of in (
        ["-N", "--empty-password"],
        ["-A", "-n", "codeframe.staging", "-t", "C,,", "-i", os.path.abspath(ca_path)],
    ):
        ended = run([certutil, "-d", f"sql:{database}", *arguments_of], deadline=deadline)
        if not ended.succeeded:
            raise BrowserError(f"the authority in {ca_path} cannot be trusted ({ended.output.strip()})")


def _await_endpoint(browser: Running, program: str, profile: str, deadline: float) -> str:
    path = os.path.join(profile, _PORT_FILE)
    while True:
        # Two lines, written one after the other: the port, and the path with a secret of this browser.
        lines = (files.read_text(path) or "").splitlines()
        if len(lines) == 2 and lines[0].isdigit():
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        code = browser.code
        if code is not None:
            raise BrowserError(f"{program} ended with {code} when it was started{_last_line(browser)}")
        if time.monotonic() > deadline:
            raise BrowserError(f"{program} did not answer in time after its start{_last_line(browser)}")
        time.sleep(0.05)


def _last_line(browser: Running) -> str:
    lines = [line.strip() for line in browser.end_of_output.splitlines() if line.strip()]
    return f": {lines[-1]}" if lines else ""
