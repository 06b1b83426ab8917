#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_site
short_description: One site of nginx, tested with the whole tree before it counts
version_added: "0.1.0"
description:
  - Keeps one site of nginx, a file with a marker line and, where the layout has one, the link that enables it.
  - A candidate is tested by C(nginx -t) with the whole configuration tree before anything is touched, in check mode
    too. It is put in place by renames, tested once more, and nginx is reloaded. If nginx refuses it, the former files
    are back.
  - A running nginx whose workers are older than the files on disk is reloaded, whoever changed the files and whenever.
    A reload counts only when new workers serve and the old ones have left or are shutting down.
  - A file of the same name without the marker belongs to someone else. It is named and stays as it is.
options:
  name:
    description:
      - Name of the site and of its file.
    type: str
    required: true
  content:
    description:
      - The site's configuration, without the marker line. Required for I(state=present).
    type: str
  state:
    description:
      - Whether the site is to be there. V(absent) leaves no trace of it.
    type: str
    choices: [present, absent]
    default: present
  enabled:
    description:
      - Whether nginx is to load the site. In the layout V(conf_d) a site that is not enabled has the suffix
        C(.disabled).
    type: bool
    default: true
  layout:
    description:
      - V(sites) is a file in C(sites-available) and a link in C(sites-enabled), V(conf_d) a file in C(conf.d).
      - V(auto) takes the first of them that the main file includes.
    type: str
    choices: [auto, sites, conf_d]
    default: auto
  context:
    description:
      - Where the content belongs. V(main) is outside of the http block, for directives such as
        C(worker_shutdown_timeout); the main file must include a directory there, as Debian's does
        (C(modules-enabled)).
    type: str
    choices: [http, main]
    default: http
  clients:
    description:
      - Number of clients that nginx must be able to carry at once, each with two connections. The processes, their
        connections and their open files are checked against it. V(0) checks nothing.
    type: int
    default: 0
  watch:
    description:
      - Further files that nginx reads at its start and that count for the question whether it runs the newest state,
        such as certificates.
    type: list
    elements: path
    default: []
  start:
    description:
      - Start nginx if it does not run. Without it a stopped nginx stays stopped.
    type: bool
    default: false
  reload_timeout:
    description:
      - Seconds that a reload may take until new workers serve.
    type: int
    default: 30
attributes:
  check_mode:
    support: full
    description: The candidate is tested in check mode too. Where nginx is not installed, the file is predicted.
  diff_mode:
    support: full
    description: Shows the file before and after.
extends_documentation_fragment:
  - codeframe.staging.nginx
"""

EXAMPLES = r"""
- name: Keep the site of the staging application
  codeframe.staging.nginx_site:
    name: codeframe-staging
    content: "{{ lookup('ansible.builtin.template', 'site.conf.j2') }}"

- name: Take the site away
  codeframe.staging.nginx_site:
    name: codeframe-staging
    state: absent
"""

RETURN = r"""
path:
  description: The site's file.
  returned: always
  type: str
  sample: /etc/nginx/sites-available/codeframe-staging
loaded_path:
  description: The path that nginx includes, the link where the layout has one.
  returned: always
  type: str
  sample: /etc/nginx/sites-enabled/codeframe-staging
layout:
  description: The layout that was found.
  returned: always
  type: str
  sample: sites
main_path:
  description: Our file of the same name in the main context; empty if there is none.
  returned: always
  type: str
  sample: /etc/nginx/modules-enabled/codeframe-staging.conf
reasons:
  description: Why something was, or would be, changed.
  returned: always
  type: list
  elements: str
  sample: ["/etc/nginx/sites-available/codeframe-staging differs from what is wanted"]
warnings_found:
  description: What deserves attention and is not the module's to change.
  returned: always
  type: list
  elements: str
reload:
  description: Whether nginx was, or would be, reloaded.
  returned: always
  type: bool
running:
  description: Whether nginx runs at the end.
  returned: always
  type: bool
version:
  description: The version of nginx, empty where it is not installed.
  returned: always
  type: str
  sample: 1.26.3
content_before:
  description: The site's content without the marker, before; null if there was none.
  returned: always
  type: str
state_before:
  description: Paths of the site to their text before, to C(-> TARGET) for a link, to null where there was nothing.
  returned: always
  type: dict
state_after:
  description: The same after.
  returned: always
  type: dict
open_websockets_on_old_workers:
  description:
    - Open WebSockets (connections to the upstreams of the site) with workers of former configurations at the end.
      They live on until they close or C(worker_shutdown_timeout) is over.
    - In check mode those that the reload would leave with them.
  returned: always
  type: int
"""

import contextlib
import glob
import os
import re
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._nginx import certificate as nginx_certificate
from ..module_utils._nginx import config as nginx_config
from ..module_utils._nginx import process as nginx_process
from ..module_utils._nginx import site as nginx_site
from ..module_utils._nginx.program import Nginx, expand, read_text

_FILE_MODE = 0o644
_EXPIRY_NOTICE_DAYS = 14


def write_atomically(path: str, text: str) -> None:
    """Replace a file by one rename; the new one has mode 0644 and is on disk before it takes the name."""
    directory = os.path.dirname(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.codeframe-", dir=directory)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), _FILE_MODE)
            os.fsync(stream.fileno())
        os.rename(temporary, path)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise


def link_atomically(path: str, target: str) -> None:
    """Make or replace a symbolic link by one rename."""
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.codeframe-{os.getpid()}")
    if os.path.lexists(temporary):
        os.unlink(temporary)
    os.symlink(target, temporary)
    os.rename(temporary, path)


def find_program(module: AnsibleModule) -> str | None:
    """Path of nginx, also where root's own directories are not in the search path."""
    found: str | None = module.get_bin_path(
        module.params["executable"], required=False, opt_dirs=["/usr/sbin", "/usr/local/sbin", "/sbin"]
    )
    return found


def target_of(link: str) -> str | None:
    """The absolute path that a symbolic link leads to, ``None`` if it is no link."""
    if not os.path.islink(link):
        return None
    return os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)))


class Site:
    """The site on this host: what is there, how it gets in place, how it gets back.

    ``elsewhere`` are files and links of ours that another layout, or a change of ``enabled``, left in other places.
    """

    def __init__(
        self, module: AnsibleModule, nginx: Nginx, layout: nginx_site.Layout, elsewhere: Sequence[str] = ()
    ) -> None:
        self.module = module
        self.nginx = nginx
        self.layout = layout
        self.elsewhere = tuple(elsewhere)

    def file_text(self) -> str | None:
        try:
            return read_text(self.layout.file)
        except FileNotFoundError:
            return None

    def link_target(self) -> str | None:
        return target_of(self.layout.link) if self.layout.link is not None else None

    def state(self) -> dict[str, str | None]:
        """Paths to texts, to ``-> TARGET`` for a link, to ``None`` where there is nothing."""
        found = {self.layout.file: self.file_text()}
        for path in (self.layout.link, *self.elsewhere):
            if path is not None:
                target = target_of(path)
                if target is not None:
                    found[path] = f"-> {target}"
                else:
                    found[path] = read_text(path) if os.path.isfile(path) else None
        return found

    def foreign(self) -> str | None:
        """Path of a file of our name that is not ours."""
        for path in (self.layout.file, self.layout.link):
            if path is None or not os.path.lexists(path):
                continue
            if not os.path.exists(path):
                # A link that leads nowhere serves nobody, and nginx refuses the tree because of it.
                continue
            if not os.path.isfile(path) or not nginx_site.is_ours(read_text(path)):
                return path
        return None

    def put(self, state: dict[str, str | None]) -> None:
        """Bring the site's paths into a state, each by one rename.

        A link is made after its file is there and removed before it goes, and
        what stands elsewhere goes before the site comes, so that nginx accepts
        the tree at every moment.
        """
        for path in self.elsewhere:
            if state.get(path) is None and os.path.lexists(path):
                os.unlink(path)
        link = self.layout.link
        wanted_link = state.get(link) if link is not None else None
        if link is not None and wanted_link is None and os.path.lexists(link):
            os.unlink(link)
        text = state[self.layout.file]
        if text is not None:
            if self.file_text() != text or not self.mode_ok():
                os.makedirs(os.path.dirname(self.layout.file), exist_ok=True)
                write_atomically(self.layout.file, text)
        elif os.path.lexists(self.layout.file):
            os.unlink(self.layout.file)
        if link is not None and wanted_link is not None:
            if not wanted_link.startswith("-> "):
                write_atomically(link, wanted_link)
            elif self.link_target() != wanted_link[3:]:
                link_atomically(link, wanted_link[3:])
        for path in self.elsewhere:
            former = state.get(path)
            if former is not None and not os.path.lexists(path):
                if former.startswith("-> "):
                    link_atomically(path, former[3:])
                else:
                    write_atomically(path, former)

    def mode_ok(self) -> bool:
        try:
            return stat.S_IMODE(os.stat(self.layout.file).st_mode) == _FILE_MODE
        except OSError:
            return True

    def leftovers(self) -> list[str]:
        """Temporary files of runs that were killed."""
        return [
            path
            for base in (self.layout.file, self.layout.link)
            if base is not None
            for path in glob.glob(
                os.path.join(glob.escape(os.path.dirname(base)), f".{os.path.basename(base)}.codeframe-*")
            )
        ]

    def newest_change(self, loaded: bool) -> float | None:
        """Time of the newest change of the site and the main file, or, of a site that is gone, of its directory.

        It is that of the inode, which the kernel sets: a rename brings an old file time with it, and a copy may bring
        one that is still to come.
        """
        paths = [self.nginx.config, self.layout.file, self.layout.loaded]
        if not loaded:
            paths.append(os.path.dirname(self.layout.loaded))
        times = []
        for path in [*paths, *self.module.params["watch"]]:
            for look in (os.stat, os.lstat):
                with contextlib.suppress(OSError):
                    times.append(look(path).st_ctime)
        return max(times, default=None)

    def try_candidate(self, text: str | None) -> tuple[bool, str]:
        """Test the whole tree with a candidate (``None``: without the site), touching nothing of it."""
        directory = tempfile.mkdtemp(prefix="nginx-candidate-", dir=self.module.tmpdir)
        try:
            shadow = nginx_site.shadow_tree(
                self.nginx.config, directory, self.layout.loaded, text, read_text, expand, self.elsewhere
            )
            for name in os.listdir(self.nginx.conf_dir):
                if name not in shadow.files:
                    os.symlink(os.path.join(self.nginx.conf_dir, name), os.path.join(directory, name))
            for name, content in shadow.files.items():
                with open(
                    os.path.join(directory, name), "w", encoding="utf-8", errors="surrogateescape", newline=""
                ) as stream:
                    stream.write(content)
            accepted, said = self.nginx.test(os.path.join(directory, shadow.main))
            return accepted, nginx_site.real_names(said, directory, shadow)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


class Reload:
    """One reload, confirmed by the workers it leaves."""

    def __init__(self, nginx: Nginx, timeout_s: float) -> None:
        self.nginx = nginx
        self.timeout_s = timeout_s

    def _log_size(self) -> int:
        try:
            return os.stat(self.nginx.error_log).st_size
        except OSError:
            return 0

    def _logged_since(self, offset: int) -> str:
        try:
            with open(self.nginx.error_log, encoding="utf-8", errors="replace") as stream:
                stream.seek(offset)
                return stream.read(65536)
        except OSError:
            return ""

    def run(self, patient: bool = False) -> str | None:
        """Reload; ``None`` when new workers serve alone, otherwise why they do not.

        :param patient: Wait for the whole time, since what is in the log may be of an earlier reload.
        """
        offset = self._log_size()
        # Seen now and not before: workers of somebody else's reload, a moment ago, are not those of this one.
        before = nginx_process.settled(self.nginx.pid_file)
        if before is None:
            return "nginx ended before the reload"
        old = {worker.pid for worker in before.active}
        try:
            os.kill(before.master, signal.SIGHUP)
        except OSError as exc:
            return f"the signal to the master process {before.master} failed ({exc.strerror})"
        deadline = time.monotonic() + self.timeout_s
        while time.monotonic() < deadline:
            now = nginx_process.running(self.nginx.pid_file)
            if now is None:
                return "nginx ended during the reload"
            active = {worker.pid for worker in now.active}
            if active and not active & old:
                return None
            # A refused reload is in the log within moments and will never come to new workers.
            refusals = nginx_site.complaints(self._logged_since(offset), ("emerg",))
            if refusals and not patient and not active - old:
                return refusals[-1]
            time.sleep(0.02)
        refusals = nginx_site.complaints(self._logged_since(offset))
        return refusals[-1] if refusals else f"no new workers within {self.timeout_s:g} s"


def run(module: AnsibleModule) -> dict[str, Any]:
    """Bring the site about; returns the result, or fails the module."""
    nginx = Nginx(module.run_command, find_program(module), module.params["config"], module.params["prefix"])
    result: dict[str, Any] = {
        "changed": False,
        "path": "",
        "loaded_path": "",
        "layout": "",
        "main_path": "",
        "reasons": [],
        "warnings_found": [],
        "reload": False,
        "running": False,
        "version": nginx.version,
        "content_before": None,
        "state_before": {},
        "state_after": {},
        "open_websockets_on_old_workers": 0,
        "diff": [],
    }
    try:
        bring_about(module, nginx, result)
    except nginx_site.SiteError as exc:
        module.fail_json(msg=str(exc), **result)
    return result


def bring_about(module: AnsibleModule, nginx: Nginx, result: dict[str, Any]) -> None:
    """Look, plan, examine and, unless in check mode, apply; what is known so far stands in the result at any time.

    :raises nginx_site.SiteError: With the cause; what was there before serves on.
    """
    params = module.params
    name: str = params["name"]
    if not nginx_site.SITE_NAME.match(name):
        raise nginx_site.SiteError(
            f"name is {name!r}, expected letters, digits, dots, hyphens and underscores, as for a file name"
        )
    text = nginx_site.with_marker(name, params["content"]) if params["state"] == "present" else None
    if nginx.executable is None:
        if not module.check_mode and text is not None:
            raise nginx_site.SiteError(
                f"the program {params['executable']} is not on this host; install the package nginx first"
            )
        # A host where nginx comes with this run: Debian's layout is what will be there.
        result.update(predicted_without_nginx(nginx.conf_dir, params, text))
        return

    tree = read_tree(nginx, name)
    layout = place_of(nginx, params)
    if layout is None:
        return
    site = Site(module, nginx, layout, elsewhere(nginx, name, layout) if params["context"] == "http" else ())
    result.update(path=layout.file, loaded_path=layout.loaded, layout=layout.kind, main_path=main_path(nginx, name))
    foreign = site.foreign()
    if foreign is not None:
        raise nginx_site.SiteError(
            f"{foreign} is in the way of the site {name} and does not carry the marker of this collection; "
            "it was left as it is: rename or remove it, or choose another name for the site"
        )
    change = Change(site, text, nginx_process.settled(nginx.pid_file))
    result.update(
        running=change.running is not None,
        state_before=change.before,
        state_after=change.before,
        content_before=None if change.former_text is None else nginx_site.without_marker(change.former_text),
        reasons=change.reasons,
        diff=difference(change.before, change.after),
    )

    examination = Examination(site, tree, change.running, change.loaded_text)
    examination.refuse(name, params["clients"], candidate=change.due)
    examination.look_for_changes_of_others()
    ports = examination.upstream_ports(change.former_text)
    leaving = examination.websockets(change.running, ports, leaving=True)
    staying = examination.websockets(change.running, ports, leaving=False) if change.todo.reload else 0
    if staying:
        examination.notice(
            f"{staying} open WebSockets stay with workers of the former configuration until they close "
            "or worker_shutdown_timeout is over"
        )
    result["open_websockets_on_old_workers"] = leaving
    result["warnings_found"] = examination.notices
    for notice in examination.notices:
        module.warn(notice)
    if module.check_mode:
        result.update(
            changed=change.due,
            reload=change.todo.reload,
            state_after=change.after,
            open_websockets_on_old_workers=leaving + staying,
        )
        return

    change.put_files(result)
    if change.reload(result):
        running = nginx_process.running(nginx.pid_file)
        result.update(reload=True, open_websockets_on_old_workers=examination.websockets(running, ports, leaving=True))
    if change.starts:
        start(nginx)
        result["running"] = True
    result["changed"] = change.due


def read_tree(nginx: Nginx, name: str) -> nginx_config.Tree:
    """The configuration as it is.

    :raises nginx_site.SiteError: If it cannot be read, so that it was broken before.
    """
    try:
        return nginx.tree()
    except OSError as exc:
        raise nginx_site.SiteError(
            f"the main configuration file {nginx.config} cannot be read ({exc.strerror})"
        ) from exc
    except nginx_config.ConfigError as exc:
        _accepted, said = nginx.test()
        raise nginx_site.SiteError(
            f"the configuration was broken before, apart from the site {name}: "
            f"{'; '.join(nginx_site.complaints(said)) or exc}; repair {exc.file} first, which is not ours; "
            "nothing was changed"
        ) from exc


def place_of(nginx: Nginx, params: Mapping[str, Any]) -> nginx_site.Layout | None:
    """Where the site belongs; None where it has no place and is not wanted anyway.

    :raises nginx_site.SiteError: If it is wanted, and nothing includes a place for it.
    """
    name = params["name"]
    wanted = "main" if params["context"] == "main" else params["layout"]
    try:
        layout = nginx_site.detect_layout(includes_of(nginx, params["context"]), name, wanted)
    except nginx_site.SiteError as exc:
        if params["state"] == "absent":
            return None
        raise nginx_site.SiteError(f"the site {name} has no place: {exc}") from exc
    return layout.disabled if layout.link is None and not params["enabled"] else layout


def start(nginx: Nginx) -> None:
    """Start nginx.

    :raises nginx_site.SiteError: If nginx does not start.
    """
    rc, out, err = nginx.run(nginx.command(nginx.config))
    if rc != 0:
        raise nginx_site.SiteError(
            f"nginx did not start: {'; '.join(nginx_site.complaints(out + err)) or f'exit status {rc}'}"
        )


class Change:
    """What is, what should be, and the way from one to the other."""

    def __init__(self, site: Site, text: str | None, running: nginx_process.Running | None) -> None:
        self.site = site
        self.running = running
        params, layout = site.module.params, site.layout
        self.name: str = params["name"]
        self.timeout_s: float = params["reload_timeout"]
        self.loaded_text = text if params["enabled"] else None
        self.before = site.state()
        self.former_text = self.before[layout.file]
        self.after: dict[str, str | None] = {layout.file: text, **dict.fromkeys(site.elsewhere)}
        if layout.link is not None:
            self.after[layout.link] = f"-> {layout.file}" if self.loaded_text is not None else None
        self.todo = nginx_site.plan(
            nginx_site.Observed(
                file_text=self.former_text,
                link_target=site.link_target(),
                link_is_file=layout.link is not None
                and os.path.lexists(layout.link)
                and not os.path.islink(layout.link),
                running=running is not None,
                newest_change=site.newest_change(self.loaded_text is not None),
                oldest_worker=running.oldest_active if running else None,
                mode_ok=site.mode_ok(),
                elsewhere=site.elsewhere,
            ),
            layout,
            text,
            params["enabled"],
            nginx_process.CLOCK_TOLERANCE_S,
        )
        self.starts = bool(params["start"]) and running is None and text is not None
        self.due = self.todo.changes or self.starts
        self.reasons = [*self.todo.reasons, *(["nginx does not run"] if self.starts else [])]

    def put_files(self, result: dict[str, Any]) -> None:
        """Put the files in place and test the whole tree.

        :raises nginx_site.SiteError: If nginx refuses it; the former files are back.
        """
        if not (self.todo.write or self.todo.link):
            return
        for path in self.site.leftovers():
            os.unlink(path)
        self.site.put(self.after)
        accepted, said = self.site.nginx.test()
        if not accepted:
            self.site.put(self.before)
            raise nginx_site.SiteError(
                f"nginx refused the tree with the site {self.name} in place: "
                f"{'; '.join(nginx_site.complaints(said))}; the former files are back"
            )
        result["state_after"] = self.after

    def reload(self, result: dict[str, Any]) -> bool:
        """Have nginx take the files in, where it runs with others; returns whether it was due.

        :raises nginx_site.SiteError: If nginx refuses; the former files are back, and in force.
        """
        if not self.todo.reload or self.running is None:
            return False
        nginx = self.site.nginx
        refusal = Reload(nginx, self.timeout_s).run()
        if refusal is None:
            return True
        self.site.put(self.before)
        result["state_after"] = self.before
        # A master that is still trying must end up with the former files, and its workers newer than these.
        still = nginx_process.running(nginx.pid_file)
        if still is not None and (self.todo.write or self.todo.link):
            Reload(nginx, self.timeout_s).run(patient=True)
        raise nginx_site.SiteError(
            f"nginx refused to reload with the site {self.name}: {refusal}; "
            "the former files are back and the former configuration goes on serving"
        )


class Examination:
    """What forbids a site (:class:`nginx_site.SiteError`) or deserves a notice, before anything is changed."""

    def __init__(
        self, site: Site, tree: nginx_config.Tree, running: nginx_process.Running | None, text: str | None
    ) -> None:
        self.site = site
        self.nginx = site.nginx
        self.loaded = site.layout.loaded
        self.tree = tree
        self.running = running
        self.text = text
        self.notices: list[str] = []
        read, glob_over = nginx_site.overlay(self.loaded, text, read_text, expand, site.elsewhere)
        self.tree_after = nginx_config.load_tree(self.nginx.config, read, glob_over)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def _is_ours(self, path: str) -> bool:
        return path in (self.loaded, self.site.layout.file, *self.site.elsewhere)

    def refuse(self, name: str, clients: int, *, candidate: bool) -> None:
        """Whatever forbids the site.

        :param candidate: Whether the tree is another with the site than it is now.
        :param clients: How many must be carried; 0 for any number.
        """
        if candidate:
            self.test_candidate(name)
        else:
            self.test_what_is_there()
        if self.text is not None:
            self.refuse_taken_names(name)
            self.refuse_taken_ports()
            self.refuse_bad_certificates()
            self.refuse_too_many_clients(clients)

    def test_candidate(self, name: str) -> None:
        """The whole tree with the candidate, tested aside; says whether it was broken before."""
        try:
            accepted, said = self.site.try_candidate(self.text)
            if accepted:
                return
            clean_without, said_without = (False, said) if self.text is None else self.site.try_candidate(None)
        except nginx_config.ConfigError as exc:
            raise nginx_site.SiteError(f"the site {name} cannot be tested: {exc}; nothing was changed") from exc
        if clean_without:
            complaint = "; ".join(nginx_site.complaints(said)) or said.strip()
            raise nginx_site.SiteError(f"nginx refuses the site {name}: {complaint}; nothing was changed")
        broken = nginx_site.complaints(said_without)
        if self.nginx.test()[0]:
            raise nginx_site.SiteError(
                f"nginx accepts the tree as it is, and not a copy of it without the site {name}: "
                f"{'; '.join(broken) or said_without.strip()}; something that is not ours needs what the site defines, "
                f"or names a file by a path with .. from {self.nginx.conf_dir}; nothing was changed"
            )
        raise nginx_site.SiteError(
            f"the configuration was broken before, apart from the site {name}: "
            f"{'; '.join(broken) or said_without.strip()}; "
            f"repair {self._culprit(broken)} first, which is not ours; nothing was changed"
        )

    def _culprit(self, complaints: list[str]) -> str:
        """What nginx complains about: a directory, a link that leads nowhere, the place it names, or what names it."""
        complaint = complaints[-1] if complaints else ""
        named: list[str] = re.findall(r'"(/[^"]+)"', complaint)
        for path in named:
            if os.path.isdir(path) or (os.path.islink(path) and not os.path.exists(path)):
                return path
        place = nginx_site.complaint_place(complaint)
        if place is not None:
            return place[0]
        for each in nginx_config.walk(self.tree.directives):
            if not self._is_ours(each.file) and set(named) & set(each.args):
                return each.file
        return "it"

    def test_what_is_there(self) -> None:
        """The tree as it is. One that nginx refuses would not survive the next start."""
        accepted, said = self.nginx.test()
        if accepted:
            return
        complaint = "; ".join(nginx_site.complaints(said)) or said.strip()
        if self.running is None:
            raise nginx_site.SiteError(
                f"nginx does not run and refuses the configuration: {complaint}; repair it first, which is not ours"
            )
        self.notice(
            f"nginx refuses the configuration on disk: {complaint}; it goes on serving the former one, "
            "and would not start again: repair it, which is not ours"
        )

    def refuse_taken_names(self, name: str) -> None:
        """Host names that another file claims. nginx ignores all claims but the first and only warns."""
        earlier = {(each.name, each.port) for each in nginx_site.name_conflicts(self._servers(self.tree), self.loaded)}
        servers = self._servers(self.tree_after)
        for each in nginx_site.name_conflicts(servers, self.loaded):
            if not each.ours_wins:
                raise nginx_site.SiteError(
                    f"{each.theirs} answers for {each.name} on port {each.port} before the site {name} does; "
                    "nginx would ignore the site: remove the name there, or disable that file, which is not ours"
                )
            if (each.name, each.port) not in earlier:
                raise nginx_site.SiteError(
                    f"{each.theirs} answers for {each.name} on port {each.port} already, and the site {name} would "
                    "take the name away from it: remove the name there, or disable that file, which is not ours"
                )
            self.notice(
                f"{each.theirs} claims {each.name} on port {each.port} too; nginx ignores it, since the site {name} "
                "comes first"
            )
        for address, where in nginx_site.hidden_addresses(servers, self.loaded):
            self.notice(
                f"connections to {address} never reach the site {name}, since {where} listens on that very address"
            )

    @staticmethod
    def _servers(tree: nginx_config.Tree) -> list[nginx_site.Server]:
        return nginx_site.servers_of(tree)

    def refuse_taken_ports(self) -> None:
        """Ports that another program listens on; ``nginx -t`` does not see it."""
        friends: list[int] = []
        if self.running is not None:
            friends = [self.running.master, *(worker.pid for worker in self.running.workers)]
        for each in nginx_site.listens_of(self.text or "", self.loaded):
            holder = nginx_process.port_holder(nginx_site.bare_address(each.address), each.port, friends)
            if holder is not None:
                who = f"{holder[1] or 'a program that cannot be seen'} (process {holder[0]})"
                raise nginx_site.SiteError(
                    f"port {each.port} of the site is taken by {who}, not by this nginx; "
                    "stop that program or choose another port; nothing was changed"
                )

    def refuse_bad_certificates(self) -> None:
        """Certificates outside their time, and keys that every user of the host may read."""
        now = datetime.now(timezone.utc)
        directives = nginx_config.parse(self.text or "", self.loaded)
        for path in nginx_site.files_named(directives, "ssl_certificate"):
            try:
                seen = nginx_certificate.validity(read_text(os.path.join(self.nginx.conf_dir, path)))
            except (OSError, ValueError):
                # nginx has read it; whatever it made of it is beyond this reader.
                continue
            if now > seen.ends:
                raise nginx_site.SiteError(
                    f"the certificate {path} expired on {seen.ends:%Y-%m-%d}; renew it first; nothing was changed"
                )
            if now < seen.begins:
                raise nginx_site.SiteError(
                    f"the certificate {path} is not valid before {seen.begins:%Y-%m-%d %H:%M} UTC; "
                    "check it and the clock of this host; nothing was changed"
                )
            days = (seen.ends - now).days
            if days < _EXPIRY_NOTICE_DAYS:
                self.notice(f"the certificate {path} expires in {days} days")
        for path in nginx_site.files_named(directives, "ssl_certificate_key"):
            try:
                mode = stat.S_IMODE(os.stat(os.path.join(self.nginx.conf_dir, path)).st_mode)
            except OSError:
                continue
            if mode & 0o007 and self._reachable_by_all(path):
                raise nginx_site.SiteError(
                    f"the private key {path} is open to every user of this host (mode {mode:04o}); "
                    "set its mode to 0600; nothing was changed"
                )

    def _reachable_by_all(self, path: str) -> bool:
        """Whether every user may enter the directories on the way; certbot's keeps all but root out of its own."""
        folder = os.path.realpath(os.path.join(self.nginx.conf_dir, path))
        while folder != os.path.dirname(folder):
            folder = os.path.dirname(folder)
            if not os.stat(folder).st_mode & 0o001:
                return False
        return True

    def refuse_too_many_clients(self, clients: int) -> None:
        if clients <= 0:
            return
        pid = self.running.active[0].pid if self.running and self.running.active else os.getpid()
        problem = nginx_site.too_small(
            # What nginx itself makes of `worker_processes auto`.
            self.tree_after,
            os.sysconf("SC_NPROCESSORS_ONLN"),
            nginx_process.open_files_limit(pid),
            clients,
        )
        if problem is not None:
            raise nginx_site.SiteError(f"{problem}; nothing was changed")

    def look_for_changes_of_others(self) -> None:
        """Files of others that are newer than the workers. They are not reloaded for, and a reload takes them in."""
        oldest = self.running.oldest_active if self.running else None
        if oldest is None:
            return
        for path in self.tree.files:
            if self._is_ours(path) or path == self.nginx.config:
                continue
            try:
                changed = os.stat(path).st_ctime
            except OSError:
                continue
            if changed > oldest + nginx_process.CLOCK_TOLERANCE_S:
                self.notice(f"{path} was edited after nginx read it; what it says now counts from the next reload on")

    def upstream_ports(self, former_text: str | None) -> set[int]:
        """Where the WebSockets of this site lead; those of all sites for what belongs to none."""
        if self.site.layout.kind == "main":
            return nginx_site.upstream_ports(self.tree.directives)
        ports: set[int] = set()
        for text in (former_text, self.text):
            if text is not None:
                with contextlib.suppress(nginx_config.ConfigError):
                    ports |= nginx_site.upstream_ports(nginx_config.parse(text, self.loaded))
        return ports

    @staticmethod
    def websockets(running: nginx_process.Running | None, ports: set[int], leaving: bool) -> int:
        if running is None:
            return 0
        workers = running.leaving if leaving else running.active
        return nginx_process.upstream_connections((worker.pid for worker in workers), ports)


def elsewhere(nginx: Nginx, name: str, layout: nginx_site.Layout) -> list[str]:
    """Files and links of this site, of former runs with other options, in places where it does not belong now."""
    found = []
    for path in nginx_site.possible_paths(includes_of(nginx, "http"), nginx.conf_dir, name):
        if path in (layout.file, layout.link) or not os.path.isfile(path):
            continue
        if nginx_site.is_ours(read_text(path), name):
            found.append(path)
    # A link goes before the file that it leads to.
    return sorted(found, key=lambda path: not os.path.islink(path))


def main_path(nginx: Nginx, name: str) -> str:
    """Our file of this name in the main context, empty if there is none."""
    try:
        path = nginx_site.detect_layout(includes_of(nginx, "main"), name, "main").file
        return path if nginx_site.is_ours(read_text(path)) else ""
    except (nginx_site.SiteError, OSError):
        return ""


def predicted_without_nginx(conf_dir: str, params: Mapping[str, Any], text: str | None) -> dict[str, Any]:
    """What would come about on a host that has no nginx yet."""
    kind, folder, suffix = "sites", "sites-enabled", ""
    if params["context"] == "main":
        kind, folder, suffix = "main", "modules-enabled", ".conf"
    elif params["layout"] == "conf_d":
        kind, folder, suffix = "conf_d", "conf.d", ".conf"
    layout = nginx_site.site_paths(kind, params["name"], suffix, f"{conf_dir}/{folder}")
    if layout.link is None and not params["enabled"]:
        layout = layout.disabled
    before: dict[str, str | None] = dict.fromkeys(filter(None, (layout.file, layout.link)))
    after = dict(before)
    if text is not None:
        after[layout.file] = text
        if layout.link is not None and params["enabled"]:
            after[layout.link] = f"-> {layout.file}"
    return {
        "changed": text is not None,
        "path": layout.file,
        "loaded_path": layout.loaded,
        "layout": layout.kind,
        "reasons": ["nginx is not installed yet"] if text is not None else [],
        "reload": False,
        "state_before": before,
        "state_after": after,
        "diff": difference(before, after),
    }


def includes_of(nginx: Nginx, context: str) -> list[str]:
    """Absolute patterns of the includes in ``http`` or in ``main``, those of included files too."""
    found: list[str] = []

    def collect(path: str, inside_http: bool, depth: int) -> None:
        try:
            directives: Sequence[nginx_config.Directive] = nginx_config.parse(read_text(path), path)
        except (OSError, nginx_config.ConfigError):
            return
        for each in directives:
            if each.name == "http" and not inside_http:
                take(each.block or (), True, depth)
            elif each.name == "include":
                take((each,), inside_http, depth)

    def take(directives: Sequence[nginx_config.Directive], inside_http: bool, depth: int) -> None:
        for each in directives:
            if each.name != "include" or not each.args or depth > nginx_config.MAX_INCLUDE_DEPTH:
                continue
            pattern = nginx_config.include_pattern(each, nginx.conf_dir)
            if inside_http == (context == "http"):
                found.append(pattern)
            for path in expand(pattern) if nginx_config.is_glob(pattern) else [pattern]:
                collect(path, inside_http, depth + 1)

    collect(nginx.config, False, 0)
    return found


def difference(before: dict[str, str | None], after: dict[str, str | None]) -> list[dict[str, str]]:
    """One entry of Ansible's diff for each path that differs."""
    return [
        {
            "before_header": path,
            "after_header": path,
            "before": (before.get(path) or ""),
            "after": (after.get(path) or ""),
        }
        for path in after
        if before.get(path) != after.get(path)
    ]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "content": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "enabled": {"type": "bool", "default": True},
            "layout": {"type": "str", "choices": ["auto", "sites", "conf_d"], "default": "auto"},
            "watch": {"type": "list", "elements": "path", "default": []},
            "context": {"type": "str", "choices": ["http", "main"], "default": "http"},
            "clients": {"type": "int", "default": 0},
            "start": {"type": "bool", "default": False},
            "reload_timeout": {"type": "int", "default": 30},
            "executable": {"type": "str", "default": "nginx"},
            "config": {"type": "path"},
            "prefix": {"type": "path"},
        },
        required_if=[("state", "present", ["content"])],
        supports_check_mode=True,
    )
    module.exit_json(**run(module))


if __name__ == "__main__":
    main()
