# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What forbids a site, or deserves a warning, before anything is changed.

nginx itself tests the candidate. The checks cover what ``nginx -t`` accepts: host names that another file claims, ports
of other programs, certificates outside of their validity, private keys that everybody may read, too few connections.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Sequence
from datetime import datetime, timezone

from ..._host import proc, x509
from ..config import ConfigError, Tree, load_tree, parse, walk
from ..listen import listens_of, names_of
from ..messages import cause, complaints, place
from ..program import Nginx, expand, read_text
from ..references import files_named
from ..workers import CLOCK_TOLERANCE_S, RunningNginx
from .candidate import overlay
from .capacity import too_small
from .conflicts import hidden_addresses, name_conflicts, servers_of
from .errors import NameTakenError, SiteError
from .name_length import long_names
from .plan import WantedSite
from .ports import port_holder
from .trial import try_out
from .websockets import disturbances

UNCHANGED = "; nothing was changed"


def broken_elsewhere(name: str, said: str, file: str) -> str:
    """The message for a configuration that nginx refuses whatever the site holds."""
    return (
        f"nginx refuses the configuration without the site {name} too: {said}; repair {file} first, "
        f"which this collection does not manage{UNCHANGED}"
    )


class SiteChecks:
    """Checks one site; each raises :class:`SiteError` or adds to ``warnings``."""

    def __init__(self, name: str, wanted: WantedSite, nginx: Nginx, tree: Tree, running: RunningNginx | None) -> None:
        self.name = name
        self.wanted = wanted
        self.nginx = nginx
        self.tree = tree
        self.running = running
        self.warnings: list[str] = []
        self.tree_after = load_tree(nginx.config, *overlay(wanted.changes(), read_text, expand))

    def run(self, tmpdir: str, clients: int, *, changes: bool, warn_days: int, pending: Collection[str] = ()) -> None:
        """Run all checks.

        :param clients: Number of clients that nginx must be able to serve; 0 for no check.
        :param changes: Whether the site differs from what is in force.
        :param warn_days: A certificate that is valid for fewer days deserves a warning.
        :param pending: Files that are still to be written: they are not judged, and nginx tests nothing while one is
            missing.
        :raises SiteError: If the site is refused.
        """
        if self.wanted.text is not None:
            self._check_name_lengths()
        if all(os.path.exists(path) for path in pending):
            if changes:
                self._test_candidate(tmpdir)
            else:
                self._test_current()
        if self.wanted.text is not None:
            self._check_names()
            self._check_websockets()
            self._check_ports(self.wanted.text)
            self._check_certificates(self.wanted.text, warn_days, pending)
            self._check_capacity(clients)
        self._look_for_unmanaged_changes()

    def _test_candidate(self, tmpdir: str) -> None:
        changes = self.wanted.changes()
        try:
            accepted, said = try_out(self.nginx, changes, tmpdir)
            if accepted:
                return
            accepted_without, said_without = False, said
            if any(text is not None for text in changes.values()):
                accepted_without, said_without = try_out(self.nginx, dict.fromkeys(changes), tmpdir)
        except ConfigError as exc:
            raise SiteError(f"the site {self.name} cannot be tested: {exc}{UNCHANGED}") from exc
        if accepted_without:
            raise SiteError(f"nginx refuses the site {self.name}: {cause(said)}{UNCHANGED}")
        if self.nginx.test()[0]:
            raise SiteError(
                f"nginx accepts the present configuration, but not a copy of it without the site {self.name}: "
                f"{cause(said_without)}; a file that this collection does not manage needs what the site defines, or "
                f"names a file by a path with .. from {self.nginx.conf_dir}{UNCHANGED}"
            )
        raise SiteError(broken_elsewhere(self.name, cause(said_without), self._culprit(said_without)))

    def _test_current(self) -> None:
        """Test the configuration as it is: one that nginx refuses would not survive the next start."""
        accepted, said = self.nginx.test()
        if accepted:
            return
        if self.running is None:
            raise SiteError(
                f"nginx does not run and refuses the configuration: {cause(said)}; repair that file first, which this "
                "collection does not manage"
            )
        self.warnings.append(
            f"nginx refuses the configuration on disk: {cause(said)}; the previous one stays active, but nginx would "
            "not start again: repair that file, which this collection does not manage"
        )

    def _culprit(self, said: str) -> str:
        """The path to repair: a directory or dangling link named in the complaint, its place, or who includes it."""
        found = complaints(said)
        complaint = found[-1] if found else ""
        named: list[str] = re.findall(r'"(/[^"]+)"', complaint)
        for path in named:
            if os.path.isdir(path) or (os.path.islink(path) and not os.path.exists(path)):
                return path
        where = place(complaint)
        if where is not None:
            return where[0]
        for each in walk(self.tree.directives):
            if not self._is_managed(each.file) and set(named) & set(each.args):
                return each.file
        return "it"

    def _is_managed(self, path: str) -> bool:
        return path in self.wanted.state() or path in self.wanted.changes()

    def _check_names(self) -> None:
        """Host names that another file claims; nginx only warns and ignores all claims but the first."""
        loaded = self.wanted.layout.loaded
        known = {(each.name, each.port) for each in name_conflicts(servers_of(self.tree), loaded)}
        servers = servers_of(self.tree_after)
        for each in name_conflicts(servers, loaded):
            remedy = "remove the name there, or disable that file, which this collection does not manage"
            if not each.site_first:
                raise NameTakenError(
                    f"{each.other} answers for {each.name} on port {each.port} before the site {self.name}, "
                    f"and nginx would ignore the site: {remedy}{UNCHANGED}"
                )
            if (each.name, each.port) not in known:
                raise NameTakenError(
                    f"{each.other} already answers for {each.name} on port {each.port}, and the site {self.name} "
                    f"would take the name away from it: {remedy}{UNCHANGED}"
                )
            self.warnings.append(
                f"{each.other} claims {each.name} on port {each.port} too; nginx ignores that claim, since the site "
                f"{self.name} is loaded first"
            )
        for address, where in hidden_addresses(servers, loaded):
            self.warnings.append(
                f"connections to {address} never reach the site {self.name}, since {where} listens on that very address"
            )

    def _check_name_lengths(self) -> None:
        """Names that are too long for nginx's table; its own complaint does not name them."""
        loaded = self.wanted.layout.loaded
        wanted = {
            (name, each.port)
            for server in self.tree_after.servers()
            if server.file == loaded
            for each in listens_of(server)
            for name in names_of(server)
            if name and not name.startswith("~")
        }
        for each in long_names(self.tree_after, wanted, [loaded]):
            raise SiteError(f"nginx would refuse the site {self.name}: {each.found}; {each.remedy}{UNCHANGED}")

    def _check_websockets(self) -> None:
        """Directives of other files that close the WebSockets of the site, which nginx accepts."""
        for each in disturbances(self.tree_after, self.wanted.layout.loaded, self.nginx.version):
            if each.fatal:
                raise SiteError(
                    f"no WebSocket of the site {self.name} would work: {each.message}; repair that file, which this "
                    f"collection does not manage{UNCHANGED}"
                )
            self.warnings.append(f"the WebSockets of the site {self.name} may not work: {each.message}")

    def _check_ports(self, text: str) -> None:
        pids = [] if self.running is None else [self.running.master, *(each.pid for each in self.running.workers)]
        servers = [each for each in walk(parse(text, self.wanted.layout.loaded)) if each.name == "server"]
        for each in dict.fromkeys(listen for server in servers for listen in listens_of(server)):
            holder = port_holder(each.address, each.port, pids)
            if holder is not None:
                raise SiteError(
                    f"port {each.port} of the site {self.name} is taken by {holder}, not by this nginx; "
                    f"stop that program or choose another port{UNCHANGED}"
                )

    def _check_certificates(self, text: str, warn_days: int, pending: Collection[str]) -> None:
        directives = parse(text, self.wanted.layout.loaded)
        for path in files_named(directives, "ssl_certificate"):
            if path not in pending:
                self._check_validity(path, datetime.now(timezone.utc), warn_days)
        for path in files_named(directives, "ssl_certificate_key"):
            real = os.path.join(self.nginx.conf_dir, path)
            try:
                mode = stat.S_IMODE(os.stat(real).st_mode)
            except OSError:
                continue
            if mode & 0o007 and _everybody_may_enter(os.path.dirname(os.path.realpath(real))):
                raise SiteError(
                    f"every user of this host may read or change the private key {path} (mode {mode:04o}); "
                    f"set its mode to 0600{UNCHANGED}"
                )

    def _check_validity(self, path: str, now: datetime, warn_days: int) -> None:
        try:
            certificate = x509.parse_pem(read_text(os.path.join(self.nginx.conf_dir, path)))
        except (OSError, ValueError):
            # nginx has accepted it, so it may be of a kind that only OpenSSL reads.
            return
        if now > certificate.not_after:
            raise SiteError(f"the certificate {path} expired on {certificate.not_after:%Y-%m-%d}; renew it{UNCHANGED}")
        if now < certificate.not_before:
            raise SiteError(
                f"the certificate {path} is not valid before {certificate.not_before:%Y-%m-%d %H:%M} UTC; "
                f"check it and the clock of this host{UNCHANGED}"
            )
        days = certificate.expires_in_days(now)
        if days < warn_days:
            self.warnings.append(f"the certificate {path} expires in {days} days")

    def _check_capacity(self, clients: int) -> None:
        if clients <= 0:
            return
        pid = self.running.active[0].pid if self.running and self.running.active else os.getpid()
        processors = os.sysconf("SC_NPROCESSORS_ONLN")
        problem = too_small(self.tree_after, processors, proc.open_files_limit(pid), clients)
        if problem is not None:
            raise SiteError(f"{problem}{UNCHANGED}")

    def _look_for_unmanaged_changes(self) -> None:
        """Unmanaged files newer than the workers: nginx is not reloaded for them, and the next reload loads them."""
        oldest = self.running.oldest_active if self.running else None
        if oldest is None:
            return
        for path in self._unmanaged_files():
            try:
                changed = os.stat(path).st_ctime
            except OSError:
                continue
            if changed > oldest + CLOCK_TOLERANCE_S:
                self.warnings.append(f"{path} was changed after nginx loaded it; the next reload puts it in force")

    def _unmanaged_files(self) -> Sequence[str]:
        return [path for path in self.tree.files if path != self.nginx.config and not self._is_managed(path)]


def _everybody_may_enter(directory: str) -> bool:
    """Whether every user may enter a directory; certbot closes its own to all but root."""
    while directory != os.path.dirname(directory):
        if not os.stat(directory).st_mode & 0o001:
            return False
        directory = os.path.dirname(directory)
    return True
