# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certbot on the host: its certificates, its timer, and the files that this collection adds for its renewals."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from .._host.command import Ended, c_locale, run
from .._host.files import protected_directory, read_text, write_atomic
from .._host.programs import find_program
from .certbot import Lineage
from .pair import read_pair
from .renewal import read_renewal

#: Units that renew, with the service whose environment certbot has then.
_TIMERS = {"certbot.timer": "certbot.service", "snap.certbot.renew.timer": "snap.certbot.renew.service"}
_SYSTEM_AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_SYSTEMCTL_S = 60.0


@dataclass(frozen=True)
class Change:
    """A file that differs from what is wanted.

    :param wanted: Its content; None if it is to be deleted.
    """

    path: str
    wanted: str | None
    mode: int
    before: str | None = field(repr=False, default=None)


class CertbotHost:
    """
    :param root: Directory in which the paths of the host begin, for tests.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = root

    def path(self, absolute: str) -> str:
        return os.path.join(self._root, absolute.lstrip("/"))

    def lineages(self) -> list[Lineage]:
        """The certificates, in the order of their names."""
        live = self.path("/etc/letsencrypt/live")
        names = sorted(os.listdir(live)) if os.path.isdir(live) else []
        return [
            Lineage(
                name,
                read_pair(f"{live}/{name}/fullchain.pem", f"{live}/{name}/privkey.pem"),
                read_renewal(read_text(self.renewal_path(name)) or ""),
            )
            for name in names
            if _NAME.match(name) and os.path.isdir(f"{live}/{name}")
        ]

    def renewal_path(self, name: str) -> str:
        return self.path(f"/etc/letsencrypt/renewal/{name}.conf")

    def program(self) -> str | None:
        """certbot itself; a snap of it is not on every path."""
        return find_program("certbot") or find_program("/snap/bin/certbot")

    def hook_path(self, site: str) -> str:
        return self.path(f"/etc/letsencrypt/renewal-hooks/deploy/codeframe-staging-{site}")

    def hook(self, site: str, lineage: str) -> Change | None:
        """The hook after a renewal: nginx presents the new certificate once it is reloaded."""
        live = f"/etc/letsencrypt/live/{lineage}"
        text = (
            "#!/bin/sh\n# Managed by codeframe.staging: nginx presents a renewed certificate once it is reloaded.\n"
            f'[ "$RENEWED_LINEAGE" = "{live}" ] || exit 0\nnginx -t -q && systemctl reload nginx\n'
        )
        return self._change(self.hook_path(site), text, 0o755)

    def authorities(self, site: str, pem: str, service: str) -> list[Change]:
        """The authority of the ACME server itself, which certbot trusts beside those of the system.

        :param pem: Empty if the server is trusted already.
        :param service: The unit that renews.
        """
        folder = self.path("/etc/ssl/codeframe-staging/acme")
        own, bundle = f"{folder}/{site}.pem", self.bundle
        unit = self.path(f"/etc/systemd/system/{service}.d/codeframe-staging.conf")
        others = {
            name: read_text(f"{folder}/{name}") or ""
            for name in (sorted(os.listdir(folder)) if os.path.isdir(folder) else [])
            if name.endswith(".pem") and f"{folder}/{name}" not in (own, bundle)
        }
        added = [text for _name, text in sorted({**others, **({f"{site}.pem": pem} if pem else {})}.items())]
        system = read_text(_SYSTEM_AUTHORITIES, limit=1 << 24) or ""
        together = "".join(f"{text.strip()}\n" for text in (system, *added)) if added else None
        setting = (
            f"# Managed by codeframe.staging\n[Service]\nEnvironment=REQUESTS_CA_BUNDLE={bundle}\n" if added else None
        )
        wanted = [
            (own, f"{pem.strip()}\n" if pem else None),
            (bundle, together),
            (unit, setting),
        ]
        return [change for path, text in wanted if (change := self._change(path, text, 0o644))]

    @property
    def bundle(self) -> str:
        """All authorities that certbot trusts, if one was added."""
        return self.path("/etc/ssl/codeframe-staging/acme-authorities.pem")

    def environment(self) -> Mapping[str, str]:
        """Of certbot, also where the environment of this process names other authorities."""
        return {**c_locale(), **({"REQUESTS_CA_BUNDLE": self.bundle} if os.path.exists(self.bundle) else {})}

    def timer(self) -> tuple[str, bool]:
        """The timer that renews, empty if there is none, and whether it is enabled and active."""
        for name in _TIMERS:
            # Two lines: ActiveState and UnitFileState.
            ended = self._systemctl("show", "--property=ActiveState,UnitFileState", "--value", name)
            lines = ended.output.split() if ended else []
            if len(lines) == 2:
                return name, lines[0] == "active" and lines[1] in ("enabled", "static", "generated")
        return "", False

    @staticmethod
    def service_of(timer: str) -> str:
        return _TIMERS.get(timer, "certbot.service")

    def enable(self, timer: str) -> str:
        """Enable and start the timer; return what went wrong, empty for nothing."""
        ended = self._systemctl("enable", "--now", timer)
        return "" if ended and ended.succeeded else (ended.output.strip() if ended else "systemctl is missing")

    def reload_units(self) -> None:
        self._systemctl("daemon-reload")

    def certbot(self, arguments: list[str], timeout_s: float) -> Ended:
        """Run certbot.

        :raises OSError: If it cannot be started.
        """
        deadline = time.monotonic() + timeout_s
        return run([self.program() or "certbot", *arguments], deadline=deadline, env=self.environment())

    def apply(self, change: Change) -> None:
        """
        :raises OSError: If it cannot be written.
        """
        directory, name = os.path.split(change.path)
        if change.wanted is None:
            os.unlink(change.path)
            return
        with protected_directory(directory, create=0o755) as descriptor:
            write_atomic(name, change.wanted, mode=change.mode, dir_fd=descriptor)

    def change_of_renewal(self, name: str, text: str) -> Change | None:
        path = self.renewal_path(name)
        mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644
        return self._change(path, text, mode)

    def is_loaded_by_nginx(self, lineage: str) -> bool:
        """Whether the configuration of nginx names a certificate."""
        program = find_program("nginx")
        if program is None:
            return False
        ended = run([program, "-T"], deadline=time.monotonic() + _SYSTEMCTL_S)
        # Of a configuration that is refused, nothing is known.
        return not ended.succeeded or f"/etc/letsencrypt/live/{lineage}/" in ended.output

    def removal(self, site: str) -> list[Change]:
        """What was added for a site, as changes that delete it."""
        hook = self._change(self.hook_path(site), None, 0)
        return [*([hook] if hook else []), *self.authorities(site, "", self.service_of(self.timer()[0]))]

    @staticmethod
    def _change(path: str, wanted: str | None, mode: int) -> Change | None:
        before = read_text(path, limit=1 << 24) if os.path.lexists(path) else None
        if before == wanted and (wanted is None or os.stat(path).st_mode & 0o777 == mode):
            return None
        return Change(path, wanted, mode, before)

    @staticmethod
    def _systemctl(*arguments: str) -> Ended | None:
        program = find_program("systemctl")
        return run([program, *arguments], deadline=time.monotonic() + _SYSTEMCTL_S) if program else None
