# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring a site of nginx into the wanted state: read, plan, check, apply, reload."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..config import ConfigError, Tree, parse
from ..messages import cause
from ..program import Nginx, expand, read_text
from ..references import upstream_ports
from ..workers import CLOCK_TOLERANCE_S, RunningNginx, running, settled, upstream_connections
from .checks import UNCHANGED, SiteChecks, broken_elsewhere
from .errors import SiteError
from .files import SiteFiles
from .kept import kept_files
from .layout import SiteLayout, default_layout, detect_layout, included_patterns, possible_layouts
from .marker import is_managed, with_marker
from .plan import File, Freshness, SitePlan, SiteState, WantedSite, plan
from .reload import reload
from .takeover import returned_by, taken_by

_SITE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


@dataclass(frozen=True)
class SiteOptions:
    """What the user wants.

    ``content`` is ``None`` for a site that should not exist. ``main_content`` is empty for a file in the main context
    that should not exist, and ``None`` for one that stays as it is. ``take_over`` replaces files of others that answer
    for names of the site. ``pending`` are paths that check mode takes for changed.
    """

    name: str
    content: str | None
    main_content: str | None
    layout: str
    clients: int
    watch: Sequence[str]
    take_over: bool = False
    warn_days: int = 14
    pending: Sequence[str] = ()

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> SiteOptions:
        """Return the options of a task."""
        present = params["state"] == "present"
        return cls(
            name=params["name"],
            content=params["content"] if present else None,
            main_content=params["main_content"] if present else "",
            layout=params["layout"],
            clients=params["clients"],
            watch=params["watch"],
            take_over=params["take_over"],
            warn_days=params["warn_days"],
            pending=params["pending"],
        )


@dataclass
class Report:
    """The result of the module, filled step by step so that a failure reports what was known until then."""

    changed: bool = False
    path: str = ""
    loaded_path: str = ""
    layout: str = ""
    main_path: str = ""
    reasons: Sequence[str] = ()
    reload: bool = False
    running: bool = False
    version: str = ""
    taken_over: Sequence[str] = ()
    state_before: Mapping[str, str | None] = field(default_factory=dict)
    state_after: Mapping[str, str | None] = field(default_factory=dict)
    open_websockets_on_old_workers: int = 0
    diff: Sequence[Mapping[str, str]] = ()
    name_taken: bool = False
    warnings: Sequence[str] = ()

    def result(self) -> dict[str, Any]:
        """The result without the warnings, which Ansible collects itself."""
        return {name: value for name, value in vars(self).items() if name != "warnings"}


def manage(options: SiteOptions, nginx: Nginx, tmpdir: str, check_mode: bool, report: Report) -> None:
    """Bring a site into the wanted state, in check mode up to the first change.

    :raises SiteError: If the site is refused; the previous configuration stays in force.
    """
    if not _SITE_NAME.match(options.name):
        raise SiteError(f"name is {options.name!r}, expected letters, digits, dots, hyphens and underscores")
    report.version = nginx.version
    if not check_mode:
        options = replace(options, pending=())
    if nginx.executable is None:
        if options.content is not None and not check_mode:
            raise SiteError("nginx is not installed on this host; install the package nginx first")
        _predict_without_nginx(options, nginx, report)
        return
    tree = _read_tree(nginx, options.name)
    includes = included_patterns(nginx.config, "http", read_text, expand)
    possible = [path for each in possible_layouts(includes, nginx.conf_dir, options.name) for path in each.paths]
    wanted = _wanted_site(options, nginx, includes, possible)
    if wanted.text is None:
        wanted = replace(wanted, returned=returned_by(options.name, nginx.conf_dir))
    elif options.take_over:
        taken = taken_by(options.name, wanted.text, wanted.layout, tree, nginx.conf_dir, includes)
        wanted = replace(wanted, taken=taken)
    run = _Run(options, SiteFiles(wanted, nginx.conf_dir, possible), nginx, report)
    run.look(tree, tmpdir)
    if check_mode:
        run.predict()
    else:
        run.apply()


class _Run:
    """One run on a host with nginx."""

    def __init__(self, options: SiteOptions, files: SiteFiles, nginx: Nginx, report: Report) -> None:
        self.options = options
        self.nginx = nginx
        self.report = report
        self.files = files
        self.wanted = files.wanted
        self.running: RunningNginx | None = None
        self.plan: SitePlan
        self.ports: set[int] = set()
        self.staying = 0

    def look(self, tree: Tree, tmpdir: str) -> None:
        """Compare, plan and check; the report says what would change and why."""
        report, layout = self.report, self.wanted.layout
        report.path, report.loaded_path, report.layout = layout.file, layout.loaded, layout.kind
        unmanaged = self.files.unmanaged()
        if unmanaged is not None:
            raise SiteError(
                f"{unmanaged} exists and does not have the marker of this collection, so the site {self.options.name} "
                "cannot be written there: rename or remove that file, or choose another name for the site"
            )
        self.running = settled(self.nginx.pid_file)
        self.plan = self._plan()
        report.taken_over = sorted(kept_files(self.nginx.conf_dir, self.options.name))
        report.reasons, report.running = self.plan.reasons, self.running is not None
        report.state_before = report.state_after = _shown(self.plan.before)
        report.diff = _difference(self.plan)
        if self.wanted.main is not None and (self.plan.before[self.wanted.main.file] or self.wanted.main_text):
            report.main_path = self.wanted.main.file

        checks = SiteChecks(self.options.name, self.wanted, self.nginx, tree, self.running)
        report.warnings = checks.warnings
        checks.run(
            tmpdir,
            self.options.clients,
            changes=self.plan.changes,
            warn_days=self.options.warn_days,
            pending=self.options.pending,
        )
        self.ports = self._upstream_ports()
        report.open_websockets_on_old_workers = self._websockets(old=True)
        if self.plan.reload:
            self.staying = self._websockets(old=False)
        if self.staying:
            checks.warnings.append(
                f"{self.staying} open WebSockets stay with workers of the previous configuration after the reload, "
                "until they close or worker_shutdown_timeout ends"
            )

    def predict(self) -> None:
        """Report what a run without check mode changes."""
        self.report.changed = self.plan.changes
        self.report.reload = self.plan.reload
        self.report.state_after = _shown(self.plan.after)
        self.report.open_websockets_on_old_workers += self.staying
        taken, back = ({each.path for each in self.wanted.taken}, {each.target for each in self.wanted.returned})
        self.report.taken_over = sorted({*self.report.taken_over, *taken} - back)

    def apply(self) -> None:
        """Change the files and reload nginx; on a failure the previous files are restored."""
        if self.plan.writes:
            self._write()
        if self.plan.reload:
            self._reload()
        # Always: the run before this one may have been killed after its reload.
        self.files.clean_up()
        self.report.changed = self.plan.changes
        self.report.taken_over = sorted(kept_files(self.nginx.conf_dir, self.options.name))

    def _plan(self) -> SitePlan:
        freshness = None
        if self.running is not None:
            watched = [self.nginx.config, *self.options.watch]
            newest = math.inf if self.options.pending else self.files.newest_change(watched)
            freshness = Freshness(self.running.oldest_active, newest)
        return plan(self.files.state(), self.files.after, freshness, CLOCK_TOLERANCE_S, self.wanted.moved)

    def _write(self) -> None:
        try:
            self.files.apply(self.plan.before, self.plan.after)
        except OSError as exc:
            raise SiteError(
                f"the site {self.options.name} cannot be written ({exc.strerror}); {self._restore()}"
            ) from exc
        accepted, said = self.nginx.test()
        if not accepted:
            raise SiteError(
                f"the configuration with the site {self.options.name} in place is refused: {cause(said)}; "
                f"{self._restore()}"
            )
        self.report.state_after = _shown(self.plan.after)

    def _reload(self) -> None:
        refusal = reload(self.nginx)
        if refusal is not None:
            restored = self._restore()
            # A master process that is still trying must end up with the previous files and workers newer than these.
            if self.plan.writes and running(self.nginx.pid_file) is not None:
                reload(self.nginx, whole_time=True)
            raise SiteError(
                f"nginx refused to reload with the site {self.options.name}: {refusal}; "
                f"{restored} and the previous configuration stays active"
            )
        self.running = running(self.nginx.pid_file)
        self.report.reload = True
        self.report.open_websockets_on_old_workers = self._websockets(old=True)

    def _restore(self) -> str:
        """Restore the previous files; returns what to say about it."""
        try:
            self.files.restore(self.plan.before)
        except OSError as exc:
            return f"the previous files could not be restored ({exc.filename}: {exc.strerror})"
        self.report.state_after = _shown(self.plan.before)
        return "the previous files were restored"

    def _upstream_ports(self) -> set[int]:
        """Ports of the upstreams of the site, before and after the change."""
        ports: set[int] = set()
        before = self.plan.before[self.wanted.layout.file]
        for text in (before.text if isinstance(before, File) else None, self.wanted.text):
            try:
                ports |= upstream_ports(parse(text or "", self.wanted.layout.loaded))
            except ConfigError:
                continue
        return ports

    def _websockets(self, old: bool) -> int:
        if self.running is None:
            return 0
        return upstream_connections(self.running.old if old else self.running.active, self.ports)


def _read_tree(nginx: Nginx, name: str) -> Tree:
    """The configuration as it is.

    :raises SiteError: If it cannot be read.
    """
    try:
        return nginx.tree()
    except OSError as exc:
        raise SiteError(f"the main configuration file {nginx.config} cannot be read ({exc.strerror})") from exc
    except ConfigError as exc:
        _accepted, said = nginx.test()
        raise SiteError(broken_elsewhere(name, cause(said) or str(exc), exc.file)) from exc


def _wanted_site(options: SiteOptions, nginx: Nginx, includes: Sequence[str], possible: Sequence[str]) -> WantedSite:
    """The wanted state with its paths.

    :param includes: Patterns of the includes in the http block.
    :param possible: Paths of the site in all layouts.
    :raises SiteError: If the main file includes no place for what is wanted.
    """
    name = options.name
    try:
        layout = detect_layout(includes, name, options.layout)
    except SiteError as exc:
        if options.content is not None:
            raise SiteError(f"{exc}{UNCHANGED}") from exc
        layout = default_layout(options.layout, name, nginx.conf_dir)
    text = None if options.content is None else with_marker(name, options.content)
    main_text = with_marker(name, options.main_content) if options.main_content else None
    main = None if options.main_content is None else _main_layout(nginx, name, needed=main_text is not None)
    # What a run with another layout left.
    elsewhere = [
        path
        for path in dict.fromkeys(possible)
        if path not in layout.paths and os.path.isfile(path) and is_managed(read_text(path), name)
    ]
    return WantedSite(layout, text, main, main_text, tuple(elsewhere))


def _main_layout(nginx: Nginx, name: str, needed: bool) -> SiteLayout | None:
    """The path for directives of the main context; if it is not needed, ``None`` for none or an unmanaged file."""
    try:
        layout = detect_layout(included_patterns(nginx.config, "main", read_text, expand), name, "main")
    except SiteError as exc:
        if needed:
            raise SiteError(f"{exc}{UNCHANGED}") from exc
        return None
    unmanaged = os.path.exists(layout.file) and not (os.path.isfile(layout.file) and is_managed(read_text(layout.file)))
    return None if unmanaged and not needed else layout


def _predict_without_nginx(options: SiteOptions, nginx: Nginx, report: Report) -> None:
    """Report what would be created on a host that gets nginx later in the same run."""
    layout = default_layout(options.layout, options.name, nginx.conf_dir)
    report.path, report.loaded_path, report.layout = layout.file, layout.loaded, layout.kind
    if options.content is None:
        return
    main = default_layout("main", options.name, nginx.conf_dir) if options.main_content else None
    main_text = with_marker(options.name, options.main_content or "") if main else None
    after = WantedSite(layout, with_marker(options.name, options.content), main, main_text).state()
    predicted = SitePlan(dict.fromkeys(after), after, False, ("nginx is not installed yet",))
    report.main_path = main.file if main else ""
    report.changed, report.reasons = True, predicted.reasons
    report.state_before, report.state_after = _shown(predicted.before), _shown(predicted.after)
    report.diff = _difference(predicted)


def _shown(state: SiteState) -> dict[str, str | None]:
    return {path: None if entry is None else str(entry) for path, entry in state.items()}


def _difference(made: SitePlan) -> list[dict[str, str]]:
    """One entry of Ansible's diff for each path that changes."""
    before, after = _shown(made.before), _shown(made.after)
    return [
        {"before_header": path, "after_header": path, "before": before[path] or "", "after": after[path] or ""}
        for path in after
        if before[path] != after[path]
    ]
