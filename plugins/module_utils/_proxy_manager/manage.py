# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of the module for a proxy host: read, plan, save, confirm."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from .access_guard import AccessGuard
from .advanced_text import LoadedState, split_text
from .answer import ProxyAnswer
from .api_errors import ApiError, CutError, ServerFaultError
from .backup import export_host
from .block import Block
from .certificate_field import NEW_CERTIFICATE, has_certificate
from .certificate_order import CertificateOrder
from .certificates import late_renewal, require_http_challenge, usable_certificate
from .client import ProxyManagerClient
from .drift import find_drift
from .host_status import nginx_error, online, remedy
from .lookup import access_list_id, access_rules, certificate_id
from .options import ProxyOptions, parse_name, parse_timeouts
from .paths import parse_paths
from .plan import (
    HostPlan,
    PlanError,
    WantedHost,
    find_host,
    has_values,
    plan_creation,
    plan_host,
    plan_restoration,
    resume_interrupted,
    saved_state,
    wanted_state,
)
from .private_files import Journal, default_directory
from .probe import ProxyEndpoint, ProxyProbe, is_served, plain
from .proof import Proof, judge_save
from .report import HostReport
from .transaction import Change, Transaction, TransactionError
from .version import flag
from .write_lock import write_lock

#: A state that is in force shows at once, so an unchanged host is confirmed without a long wait.
_UNCHANGED_S = 0.5
#: Longest wait for other tasks that write; a save takes up to some seconds.
LOCK_TIMEOUT_S = 300.0


@dataclass(frozen=True)
class ProxyHostOptions:
    """What the user wants of a proxy host.

    :param wanted: Without what has to be looked up in Nginx Proxy Manager.
    :param requests_certificate: Whether a host without a certificate for its names gets one from Let's Encrypt.
    :param email: Address for Let's Encrypt; ``None`` for that of the account.
    :param request_timeout_s: Seconds within which there has to be a certificate.
    :param saved: For ``restored``, the state to restore.
    :param carries_rules: Whether the rules of an access list are added to the block; otherwise it is refused.
    :param confirm: Whether the proxy itself is asked.
    :param confirm_timeout_s: Seconds within which a save has to be in force.
    :param login: Name and password of a user of the access list, for a test.
    :param backup_dir: Where a host is exported before its first change.
    :param separate_names: Names that are configured by other calls, in lower case.
    """

    state: str
    wanted: WantedHost
    saved: Mapping[str, Any] = field(default_factory=dict)
    certificate: str | None = None
    requests_certificate: bool = False
    email: str | None = None
    request_timeout_s: float = 300.0
    access_list: str | None = None
    carries_rules: bool = True
    proxy: ProxyOptions = field(default_factory=ProxyOptions)
    confirm: bool = True
    confirm_timeout_s: float = 10.0
    check_mode: bool = False
    login: tuple[str, str] | None = None
    backup_dir: str | None = None
    separate_names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, params: Mapping[str, Any], check_mode: bool) -> ProxyHostOptions:
        """Read the options of the module.

        :raises ValueError: One sentence on an option that cannot be used.
        :raises PlanError: Likewise.
        """
        name = parse_name(params["domain_name"])
        timeouts = parse_timeouts(params)
        port = params["forward_port"]
        if port is not None and not 1 <= port <= 65535:
            raise PlanError(f"O(forward_port) is {port}; expected 1 to 65535")
        names = params["domain_names"]
        if names is not None and name.lower() not in (each.lower() for each in names):
            raise PlanError(f"O(domain_names) does not contain {name}; expected O(domain_name) among them")
        given = {key: params[key] for key in ("forward_scheme", "forward_host", "forward_port", "domain_names")}
        user, password = params["access_user"], params["access_password"]
        if bool(user) != bool(password):
            given_one, missing = ("access_user", "access_password") if user else ("access_password", "access_user")
            raise PlanError(f"O({missing}) is not given, and O({given_one}) is; give both or none")
        if params["certificate"] is not None and params["certificate_request"]:
            raise PlanError(
                f"O(certificate) is {params['certificate']}, and O(certificate_request) is true; give one of them"
            )
        present = params["state"] == "present"
        wanted = WantedHost(
            domain_name=name,
            paths=parse_paths(params["websocket_paths"], params["forward_paths"]) if present else (),
            timeouts=timeouts,
            fields={key: value for key, value in {**given, **(params["switches"] or {})}.items() if value is not None},
            replace_snippet=params["replace_snippet"],
            present=present,
        )
        return cls(
            state=params["state"],
            wanted=wanted,
            saved=params["previous"] or {},
            certificate=params["certificate"],
            requests_certificate=params["certificate_request"] and present,
            email=params["certificate_email"] or None,
            request_timeout_s=params["certificate_timeout"],
            access_list=params["access_list"],
            carries_rules=params["access_list_rules"] == "carry",
            proxy=ProxyOptions.of(params),
            confirm=params["check_wire"],
            confirm_timeout_s=params["wire_timeout"],
            check_mode=check_mode,
            login=(user, password) if user else None,
            backup_dir=params["backup_dir"],
            separate_names=frozenset(str(each).lower() for each in params["separate_names"]),
        )


class HostTask:
    """One call of the module; the report is complete at any moment.

    :raises Exception: All methods raise one of the kinds that the module turns into a message.
    """

    def __init__(self, client: ProxyManagerClient, options: ProxyHostOptions, report: HostReport) -> None:
        self._client = client
        self._options = options
        self._report = report
        self._name = options.wanted.domain_name
        # Why a host that was saved does not reach what it forwards to.
        self._forward_failure = ""
        # The certificate that was requested for it.
        self._new_certificate: int | None = None

    def run(self) -> None:
        """Bring the host into the wanted state."""
        # The list itself goes into the report, so that a failure shows the calls too.
        self._report.api_calls = self._client.calls
        self._report.version = str(self._client.version)
        host = self._find()
        if self._options.state == "restored":
            self._restore(host)
        elif self._options.state == "absent":
            self._remove(host)
        elif host is None:
            self._create()
        else:
            self._change(host)

    def _find(self) -> dict[str, Any] | None:
        """The host of the name, or of another name that it is to have.

        The host of a wildcard serves other names too, so that none of its fields may change for this one.
        """
        fields = self._options.wanted.fields
        names = fields.get("domain_names") or ()
        host = find_host(self._client.hosts(), self._name, names, wildcards=not fields)
        for name in (host or {}).get("domain_names") or ():
            if str(name).lower() in self._options.separate_names:
                raise PlanError(
                    f"proxy host {self._name} also has the name {name}, which is configured separately, so that each "
                    "would remove the block of the other; name both in O(domain_names)"
                )
        return host

    # States.

    def _change(self, host: dict[str, Any]) -> None:
        """Save what differs from the wanted host."""
        wanted = self._look_up(host)
        # A host without the block is not managed, and its drift is not repaired.
        self._apply(
            host,
            wanted,
            plan_host(host, wanted),
            replan=lambda now: plan_host(now, self._look_up(now)),
            repairs=wanted.present,
        )

    def _remove(self, host: dict[str, Any] | None) -> None:
        if host is None:
            self._report.msg = f"there is no proxy host {self._name}"
            return
        plan = plan_host(host, self._options.wanted)
        if plan.before.created_by_us:
            self._delete(host, plan)
        else:
            self._change(host)

    def _restore(self, host: dict[str, Any] | None) -> None:
        saved = self._options.saved
        if not saved:
            self._report.msg = f"no previous state of proxy host {self._name} is known"
            return
        if host is None:
            if saved.get("created"):
                self._report.msg = f"proxy host {self._name} does not exist, as before"
                return
            raise PlanError(
                f"proxy host {self._name} does not exist any more and cannot be restored; create it manually"
            )
        if saved.get("created"):
            plan = plan_host(host, WantedHost(self._name, present=False))
            if plan.before.created_by_us:
                self._delete(host, plan)
                return
            raise PlanError(f"proxy host {self._name} is not marked as created by this module, and is not deleted")
        list_id = int((saved.get("fields") or {}).get("access_list_id", host.get("access_list_id") or 0))
        access = access_rules(self._client, self._name, list_id) if list_id and saved.get("block") else None

        def plan_now(now: Mapping[str, Any]) -> HostPlan:
            return plan_restoration(now, saved, self._name, access, self._client.version)

        self._apply(host, self._options.wanted, plan_now(host), replan=plan_now)

    def _apply(
        self,
        host: dict[str, Any],
        wanted: WantedHost,
        plan: HostPlan,
        replan: Callable[[Mapping[str, Any]], HostPlan],
        repairs: bool = True,
    ) -> None:
        """Save a host, if its plan or a drift requires it.

        :param replan: Makes the plan for the host as it is once the lock is held.
        :param repairs: Whether a drift is repaired by saving once more.
        """
        probe = self._probe(host)
        self._probe_after(host, plan, probe)
        seen = probe.ask(plan.probed_paths)
        self._report.describe_plan(host, plan, wanted, seen)
        resave = (self._note_drift(host, plan, probe, seen) or self._note_unsaved(host, plan)) and repairs
        if self._options.check_mode or not (plan.body or resave):
            self._report.changed = bool(plan.body) or resave
            if not self._options.check_mode:
                self._verify_interrupted(host, plan, probe)
            self._report.wire["after"] = self._report.wire["before"]
            verb, same = ("restored", "as it was") if self._options.state == "restored" else ("saved", "as wanted")
            self._report.msg = f"proxy host {self._name} {f'would be {verb}' if self._report.changed else f'is {same}'}"
            return
        self._require_permission()
        with self._locked():
            # Others may have written in the meantime.
            host = self._client.host(host["id"])
            plan = replan(host)
            if plan.body.get("certificate_id") == NEW_CERTIFICATE:
                self._request_certificate(host, plan, probe)
                host = self._client.host(host["id"])
                plan = replan(host)
            self._report.previous = saved_state(plan)
            after = self._probe_after(host, plan, probe)
            host = self._save(host, plan, probe, after, resave)
            self._report_certificate()
            seen = after.ask(plan.probed_paths)
            self._report.describe_outcome(host, seen, "saved", confirmed=probe.endpoint is not None)
            self._report_unreachable_forward()

    def _create(self) -> None:
        wanted = self._look_up(None)
        body, block = plan_creation(wanted)
        self._report.reasons = ["there is no such proxy host"]
        self._report.previous = {"created": True}
        self._report.current = wanted_state(wanted, block)
        self._report.describe_change(block, "", {}, body)
        self._report.changed = True
        if self._options.check_mode:
            self._report.msg = f"proxy host {self._name} would be created"
            return
        # Nothing is left of a creation that fails.
        self._report.changed = False
        self._require_permission()
        with self._locked():
            if body.get("certificate_id") == NEW_CERTIFICATE:
                self._new_certificate = self._order(self._names({}, body)).request()
                body["certificate_id"] = self._new_certificate
            host = self._client.host(self._post(body))
            probe = self._probe(host, may_be_unreachable=True)
            guard = AccessGuard(plan_host(host, wanted), self._options.login)
            failure = self._creation_failure(host, block, probe, guard)
            if failure:
                self._delete_created(int(host["id"]))
                raise PlanError(f"proxy host {self._name} {failure}")
            self._report.changed = True
            self._report.proof["proven"] += [each for each in (guard.proof,) if each]
            seen = probe.ask([each.path for each in wanted.paths])
            self._report.describe_outcome(host, seen, "created", confirmed=probe.endpoint is not None)
            self._report_unreachable_forward()
            self._report_certificate()

    def _creation_failure(self, host: Mapping[str, Any], block: Block, probe: ProxyProbe, guard: AccessGuard) -> str:
        """What is wrong with a host that was created, and what to do; empty if nothing is."""
        forward = ""
        if online(host) is False or not probe.confirm(split_text(block.text).loaded):
            error = nginx_error(host)
            if not error:
                forward = probe.application_failure(0)
            cause = error or (f"what it forwards to does not answer: {forward}" if forward else "")
            return (
                f"did not come online after it was created ({cause or 'the proxy does not serve it'}); it is deleted "
                f"again; {'check the forward address' if forward else remedy(error)}"
            )
        forward = probe.application_failure(0)
        if forward and not forward.isdigit():
            return f"does not reach what it forwards to ({forward}); it is deleted again; check the forward address"
        self._forward_failure = forward
        guard.look_before(probe.endpoint, is_served=False)
        difference = guard.difference(probe.endpoint)
        if difference:
            return f"{difference}; it is deleted again; set O(access_list_rules) to refuse"
        return ""

    def _report_unreachable_forward(self) -> None:
        """A gateway error is no failure where nothing answered before: the application may start later."""
        if not self._forward_failure:
            return
        what = f"does not reach what it forwards to ({self._forward_failure})"
        self._report.find("forward_unreachable", f"it {what}; check the forward address and that the application runs")
        self._report.msg += f"; it {what}"

    def _report_certificate(self) -> None:
        if self._new_certificate is not None:
            what = f"certificate {self._new_certificate} of Let's Encrypt was requested"
            self._report.notes = [*self._report.notes, f"{what}, which Nginx Proxy Manager renews"]

    def _post(self, body: Mapping[str, Any]) -> int:
        """Create the host; its id."""
        try:
            return self._client.create(body)
        except (CutError, ServerFaultError) as exc:
            created = self._find()
            if created is None:
                raise
            if isinstance(exc, CutError):
                return int(created["id"])
            self._delete_created(int(created["id"]))
            raise PlanError(
                f"proxy host {self._name}: {exc}; nginx is broken by something else than this host, which is "
                "deleted again; repair what nginx -t in the container of Nginx Proxy Manager names, then run again"
            ) from None

    def _delete_created(self, host_id: int) -> None:
        """Delete a host that was just created; a 500 means here too that the database has changed."""
        with contextlib.suppress(ServerFaultError):
            self._client.delete(host_id)
        self._report.restored = True

    def _delete(self, host: dict[str, Any], plan: HostPlan) -> None:
        self._report.describe_plan(host, plan, self._options.wanted, {})
        self._report.changed = True
        self._report.reasons = ["the host was created by this module and is not wanted any more"]
        self._report.msg = f"proxy host {self._name} {'would be' if self._options.check_mode else 'is'} deleted"
        if not self._options.check_mode:
            self._require_permission()
            with self._locked():
                self._export(host)
                self._client.delete(host["id"])

    # Steps.

    def _save(
        self, host: dict[str, Any], plan: HostPlan, probe: ProxyProbe, after: ProxyProbe, resave: bool
    ) -> dict[str, Any]:
        """Carry a plan out, or save once more what the database has; the host as it is then.

        :param probe: Asks where the host answers now.
        :param after: Asks where it answers afterwards.
        """
        planned: tuple[Mapping[str, Any], Mapping[str, Any]] = plan.body, plan.previous
        if not plan.body:
            if not resave:
                return self._client.host(host["id"])
            unchanged = {"advanced_config": str(host.get("advanced_config") or "")}
            planned = unchanged, unchanged
        self._export(host)
        journal = self._journal(host)
        pending = journal.pending()
        is_served_now = online(host) is not False and not self._is_unsaved(host)
        body, previous = resume_interrupted(host, planned, pending)
        journal.open(body, previous)
        previous_state = plan.loaded_before
        if "advanced_config" in previous:
            text = split_text(previous["advanced_config"])
            previous_state = LoadedState(text.revision, text.paths or plan.loaded_after.paths)
        was_offline = online(host) is False and previous == dict(planned[1])
        change = Change(body, previous, plan.loaded_after, previous_state, was_offline)
        guard = AccessGuard(plan, self._options.login)
        moves = after.endpoint != probe.endpoint
        page_before = plain(after.endpoint) if after.endpoint and moves else None
        transaction = Transaction(self._client, host["id"], self._name, after, probe, change, guard)
        self._report.notes = transaction.notes
        try:
            host = transaction.run(is_served_now)
        except TransactionError as exc:
            # No change is left if the previous configuration is active again.
            self._report.changed, self._report.restored = not exc.restored, exc.restored
            if exc.restored:
                journal.close()
            raise
        except ApiError:
            self._report.changed = transaction.sent
            if not transaction.sent:
                # What an interrupted run has left is still to be restored.
                journal.open(*pending) if pending[0] else journal.close()
            raise
        journal.close()
        self._report.changed = True
        self._forward_failure = transaction.forward_failure
        proof = self._prove(change, after.endpoint, page_before)
        self._report.proof = {
            "proven": [*proof.proven, *(each for each in (guard.proof,) if each)],
            "unproven": list(proof.unproven),
        }
        if guard.note:
            self._report.find("headers_lost", guard.note)
        return host

    def _verify_interrupted(self, host: Mapping[str, Any], plan: HostPlan, probe: ProxyProbe) -> None:
        """Prove what a run that was killed after its save did not prove any more, or else restore what it replaced."""
        journal = self._journal(host)
        begun, replaced = journal.pending()
        if not begun or online(host) is False:
            return
        if has_values(host, begun):
            guard = AccessGuard(plan, self._options.login)
            guard.look_before(probe.endpoint, is_served=False)
            previous_probe = self._probe({**host, **replaced})
            before = split_text(str(replaced.get("advanced_config", host.get("advanced_config") or "")))
            state = LoadedState(before.revision, before.paths or plan.loaded_after.paths)
            change = Change(begun, replaced, plan.loaded_after, state)
            transaction = Transaction(self._client, host["id"], self._name, probe, previous_probe, change, guard)
            with self._locked():
                try:
                    transaction.require_access()
                except TransactionError as exc:
                    self._report.changed, self._report.restored = True, exc.restored
                    if exc.restored:
                        journal.close()
                    raise
        journal.close()

    def _journal(self, host: Mapping[str, Any]) -> Journal:
        return Journal(self._client.address.url, int(host["id"]), default_directory())

    def _prove(self, change: Change, endpoint: ProxyEndpoint | None, page_before: ProxyAnswer | None) -> Proof:
        """What the proxy shows of a save that was confirmed."""
        if endpoint is None:
            return Proof((), tuple(sorted(change.body)))
        page = (page_before, plain(endpoint)) if page_before is not None else None
        known = {str(each).lower() for each in change.previous.get("domain_names") or ()}
        added = [str(each) for each in change.body.get("domain_names") or () if str(each).lower() not in known]
        served = tuple(each for each in added if is_served(replace(endpoint, host_name=each)))
        return judge_save(change.body, change.previous_state, change.state, page, served)

    def _export(self, host: Mapping[str, Any]) -> None:
        """Keep the host as it is before its first change, if the user wants it."""
        if self._options.backup_dir is None:
            return
        try:
            self._report.backup = export_host(self._options.backup_dir, self._name, host)
        except OSError as exc:
            raise PlanError(
                f"proxy host {self._name} cannot be exported to {self._options.backup_dir} "
                f"({exc.strerror or exc}); correct O(backup_dir); nothing was changed"
            ) from None

    def _probe(self, host: Mapping[str, Any], may_be_unreachable: bool = False) -> ProxyProbe:
        """The questions to the proxy: none if the user said so, or if the host is disabled."""
        options = self._options
        if not options.confirm:
            return ProxyProbe(None)
        endpoint = options.proxy.endpoint(self._name, has_certificate(host))
        if not flag(host.get("enabled", True)):
            self._report.find("host_disabled", "the host is disabled, so that the proxy cannot be asked")
            if is_served(endpoint):
                self._report.drift.append(
                    "the database has the host disabled, the running nginx serves this name (a save leaves it so; "
                    "switch the host on and off)"
                )
            return ProxyProbe(None)
        if not may_be_unreachable and is_served(endpoint) is None and online(host) is not False:
            text = f"the proxy does not answer at {endpoint.address}:{endpoint.port}"
            if not options.check_mode:
                raise PlanError(
                    f"proxy host {self._name}: {text}, so that a save could not be confirmed; give O(proxy_address) "
                    "and O(proxy_port), or set O(check_wire) to false to rely on the API alone"
                )
            self._report.find("proxy_unreachable", text)
            return ProxyProbe(None)
        return ProxyProbe(endpoint, options.confirm_timeout_s)

    def _probe_after(self, host: Mapping[str, Any], plan: HostPlan, probe: ProxyProbe) -> ProxyProbe:
        """The questions to the place where the host answers once a plan is carried out.

        :raises PlanError: If that is not known.
        """
        proxy = self._options.proxy
        if probe.endpoint is None or plan.served.tls == has_certificate(host) or proxy.tls is not None:
            return replace(probe, seen={})
        if proxy.port and not proxy.tls_port:
            raise PlanError(
                f"proxy host {self._name} answers {'with' if plan.served.tls else 'without'} TLS afterwards, and "
                f"O(proxy_port) is {proxy.port} for both; give O(proxy_tls_port) too"
            )
        return ProxyProbe(proxy.endpoint(self._name, plan.served.tls), self._options.confirm_timeout_s)

    def _note_drift(
        self, host: Mapping[str, Any], plan: HostPlan, probe: ProxyProbe, seen: Mapping[str, ProxyAnswer]
    ) -> bool:
        """Report a difference between database and running nginx; whether it requires a save."""
        drift = find_drift(host, plan, seen, lambda state: probe.confirm(state, _UNCHANGED_S, rounds=1))
        if drift is None:
            return False
        if not drift.repairable:
            self._report.find("not_served", drift.text)
            return False
        self._report.drift.append(drift.text)
        if plan.body:
            return False
        self._report.reasons.append(drift.text)
        return True

    def _note_unsaved(self, host: Mapping[str, Any], plan: HostPlan) -> bool:
        """Report a host that a run that was killed had not saved once more; whether it requires a save."""
        if plan.body or not self._is_unsaved(host):
            return False
        self._report.reasons.append("a run was interrupted before it saved the host once more")
        return True

    def _is_unsaved(self, host: Mapping[str, Any]) -> bool:
        """Whether a run was killed before it saved the host as it is, so that nginx serves it in another way."""
        begun, replaced = self._journal(host).pending()
        return begun == replaced and has_values(host, begun)

    def _require_permission(self) -> None:
        permission, _ = self._client.permission()
        if permission is not None and permission != "manage":
            raise PlanError(
                f"the account may only {permission} proxy hosts, so that {self._name} cannot be saved; "
                "give it the permission to manage proxy hosts"
            )

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other tasks of this machine from writing."""
        with write_lock(self._client.address.url, LOCK_TIMEOUT_S) as waited:
            self._report.lock_waited_s = round(waited, 3)
            yield

    def _names(self, host: Mapping[str, Any], fields: Mapping[str, Any]) -> list[str]:
        """All domain names that a host is to have."""
        return [str(each) for each in fields.get("domain_names") or host.get("domain_names") or [self._name]]

    def _certificate_for(self, host: Mapping[str, Any], fields: Mapping[str, Any]) -> int | str:
        """The certificate that a host has or gets, or ``NEW_CERTIFICATE`` if it has to be requested."""
        if self._new_certificate is not None:
            return self._new_certificate
        names, now = self._names(host, fields), datetime.now(timezone.utc)
        present = int(host.get("certificate_id") or 0)
        found = usable_certificate(self._client.certificates(), names, present, now)
        if found is None:
            require_http_challenge(self._name, names)
            return NEW_CERTIFICATE
        late = late_renewal(found, now)
        if late and not any(each["text"] == late for each in self._report.findings):
            self._report.find("certificate_expires", late)
        return int(found["id"])

    def _order(self, names: list[str]) -> CertificateOrder:
        options = self._options
        return CertificateOrder(self._client, self._name, names, options.email, options.request_timeout_s)

    def _request_certificate(self, host: dict[str, Any], plan: HostPlan, probe: ProxyProbe) -> None:
        """Request the certificate of a plan; the host is as it was afterwards."""
        self._export(host)
        journal = self._journal(host)
        pending = journal.pending()
        unchanged = {"advanced_config": str(host.get("advanced_config") or "")}
        if not pending[0]:
            # A run that is killed meanwhile leaves a host that has to be saved once more.
            journal.open(unchanged, unchanged)
        try:
            self._new_certificate = self._order(self._names(host, plan.body)).request_for(host, plan, probe)
        except TransactionError as exc:
            self._report.changed, self._report.restored = not exc.restored, exc.restored
            if exc.restored and not pending[0]:
                journal.close()
            raise
        if not pending[0]:
            journal.close()

    def _look_up(self, host: Mapping[str, Any] | None) -> WantedHost:
        """The wanted host with the ids of certificate and access list, and the rules that will be in force."""
        options, wanted = self._options, self._options.wanted
        fields = dict(wanted.fields)
        if options.certificate is not None:
            fields["certificate_id"] = certificate_id(self._client, options.certificate)
        elif options.requests_certificate:
            fields["certificate_id"] = self._certificate_for(host or {}, fields)
        if options.access_list is not None:
            fields["access_list_id"] = access_list_id(self._client, options.access_list)
        list_id = int(fields.get("access_list_id", (host or {}).get("access_list_id") or 0))
        access = None
        if list_id and wanted.paths:
            if not options.carries_rules:
                raise PlanError(
                    f"proxy host {self._name}: access list {list_id} is in force, which does not apply to locations of "
                    "the Advanced text; set O(access_list_rules) to carry to have its rules in the block, or take the "
                    "list off the host"
                )
            access = access_rules(self._client, self._name, list_id)
        return replace(wanted, fields=fields, access=access, version=self._client.version)
