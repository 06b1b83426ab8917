#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_proxy_manager_host
short_description: One proxy host of Nginx Proxy Manager, saved as a transaction
version_added: "0.1.0"
description:
  - Finds a proxy host by one of its domain names, or creates it, and keeps the locations for its WebSocket paths as a
    managed block in its Advanced text. Everything else in that text stays byte for byte as it is.
  - A save that Nginx Proxy Manager answers with success can take the host offline. So the module reads back what became
    of it, asks the proxy itself for the new configuration, and otherwise puts the former values back, sees that they
    serve, and fails with nginx's own words.
  - What the database has and what the running nginx has are compared in every run, and a difference is repaired by
    saving again.
  - Works with Nginx Proxy Manager 2.9.0 and newer, with its switch Websockets Support on or off.
options:
  api_url:
    description:
      - Address of the admin interface, such as C(http://npm.example.com:81).
    type: str
    required: true
  domain_name:
    description:
      - Domain name by which the proxy host is found.
    type: str
    required: true
  state:
    description:
      - V(present) keeps the block and the given fields.
      - V(absent) takes the block out and leaves the host, unless I(delete_host) is set.
      - V(restored) brings back what I(former) holds.
    type: str
    choices: [present, absent, restored]
    default: present
  delete_host:
    description:
      - With I(state=absent), delete a host that this module created. Another one is never deleted.
    type: bool
    default: false
  former:
    description:
      - For I(state=restored), the value RV(former) of the run that is to be undone.
    type: dict
  forward_scheme:
    description:
      - Scheme that the host forwards to. Required to create a host.
    type: str
    choices: [http, https]
  forward_host:
    description:
      - Address that the host forwards to. Required to create a host.
    type: str
  forward_port:
    description:
      - Port that the host forwards to. Required to create a host.
    type: int
  domain_names:
    description:
      - All domain names of the host. I(domain_name) has to be among them.
    type: list
    elements: str
  certificate:
    description:
      - The certificate by its id, its name, or a domain name that it is for. V(none) for no certificate.
    type: str
  access_list:
    description:
      - The access list by its id or name. V(none) for no access list.
    type: str
  access_list_rules:
    description:
      - What to do about an access list that is in force for the host.
      - V(carry) writes its rules into the block, since a location of the Advanced text is outside of it.
      - V(refuse) fails.
    type: str
    choices: [carry, refuse]
    default: carry
  allow_websocket_upgrade:
    description:
      - The switch Websockets Support. The block does not need it.
    type: bool
  block_exploits:
    description:
      - The switch Block Common Exploits.
    type: bool
  caching_enabled:
    description:
      - The switch Cache Assets.
    type: bool
  ssl_forced:
    description:
      - The switch Force SSL. Needs a certificate.
    type: bool
  http2_support:
    description:
      - The switch HTTP/2 Support. Needs a certificate.
    type: bool
  hsts_enabled:
    description:
      - The switch HSTS Enabled. Needs a certificate.
    type: bool
  hsts_subdomains:
    description:
      - The switch HSTS Subdomains. Needs a certificate.
    type: bool
  enabled:
    description:
      - Whether the host is enabled.
    type: bool
  replace_snippet:
    description:
      - Take out a WebSocket snippet that was pasted by hand, at server level or as a location of one of the paths.
      - Without it, one that is in the way is reported as the cause and nothing is changed.
    type: bool
    default: false
  check_wire:
    description:
      - Ask the proxy itself. Set it to V(false) only where the task cannot reach the proxy; a save is then judged by
        the API alone.
    type: bool
    default: true
  proxy_address:
    description:
      - Address of the proxy. By default the host of I(api_url).
    type: str
  wire_timeout:
    description:
      - Seconds within which a save has to be in force.
    type: float
    default: 10
  lock_timeout:
    description:
      - Seconds to wait for other tasks that write to the same Nginx Proxy Manager, which does not serialise writes.
      - The lock is a file of the machine that runs the task. Where several machines write, add C(throttle=1) to the
        task or delegate it to one of them.
    type: float
    default: 300
extends_documentation_fragment:
  - codeframe.staging.nginx_proxy_manager
  - codeframe.staging.nginx_proxy_manager.block
  - codeframe.staging.nginx_proxy_manager.proxy
attributes:
  check_mode:
    description: Can run in check mode and predicts the changes without saving.
    support: full
  diff_mode:
    description: Shows the managed block and the fields that change, never the user's own text.
    support: full
seealso:
  - module: codeframe.staging.nginx_proxy_manager_info
  - module: codeframe.staging.websocket_check
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Let WebSockets through to the application
  codeframe.staging.nginx_proxy_manager_host:
    api_url: http://npm.example.com:81
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
    domain_name: api.example.com
    websocket_paths: [/ws]
  delegate_to: localhost
  throttle: 1
  register: proxy_host

- name: Create the host if it is not there
  codeframe.staging.nginx_proxy_manager_host:
    api_url: https://npm.example.com
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
    domain_name: api.example.com
    forward_scheme: http
    forward_host: 192.0.2.10
    forward_port: 14200
    certificate: "*.example.com"
    ssl_forced: true
    websocket_paths:
      - path: /socket.io/
        prefix: true

- name: Bring back what the host had before
  codeframe.staging.nginx_proxy_manager_host:
    api_url: http://npm.example.com:81
    identity: deployment@example.com
    secret: "{{ proxy_manager_secret }}"
    domain_name: api.example.com
    state: restored
    former: "{{ proxy_host.former }}"
"""

RETURN = r"""
msg:
  description: What was done, or why it failed and what to do.
  returned: always
  type: str
version:
  description: Version of Nginx Proxy Manager.
  returned: when its API answered
  type: str
reasons:
  description: Why something is to be changed; empty when nothing is.
  returned: always
  type: list
  elements: str
findings:
  description: What else stands in the host's settings that matters here.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: A word for programs.
      type: str
    text:
      description: One sentence.
      type: str
drift:
  description: Differences between what the database has and what the running nginx has.
  returned: always
  type: list
  elements: str
notes:
  description: What a save needed beyond one request, such as a repetition.
  returned: always
  type: list
  elements: str
block:
  description: The managed block as it is wanted; an empty text for none.
  returned: always
  type: str
revision:
  description: Revision of the block, which the proxy tells in the response header C(X-WebSocket-Block).
  returned: always
  type: str
host:
  description: The proxy host as it is afterwards, without the Advanced text.
  returned: when it was found or created
  type: dict
wire:
  description: Answers of the proxy to a handshake on each path, before and after.
  returned: always
  type: dict
former:
  description:
    - What I(state=restored) needs to undo this run.
    - After I(replace_snippet) it holds the text that was taken out, which may be all of a location made by hand.
  returned: always
  type: dict
current:
  description: What I(state=restored) needs to bring the state that this run leaves back later.
  returned: always
  type: dict
restored:
  description: After a failed save, whether the former configuration serves again.
  returned: when a save failed
  type: bool
text_digest:
  description: Digest of the Advanced text outside the block, before and after.
  returned: always
  type: dict
api_calls:
  description: Methods and paths of the requests to the API, in order.
  returned: always
  type: list
  elements: str
lock_waited_s:
  description: Seconds that the task waited for others that were writing.
  returned: always
  type: float
"""

import contextlib
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._proxy_manager.block import (
    Block,
    BlockError,
    Timeouts,
    digest,
    parse_paths,
    take_apart,
)
from ..module_utils._proxy_manager.client import (
    ApiError,
    CutError,
    ProxyManagerClient,
    ServerFaultError,
    parse_api_url,
)
from ..module_utils._proxy_manager.options import (
    BLOCK_OPTIONS,
    CONNECTION_OPTIONS,
    PROXY_OPTIONS,
    checked_name,
    client_of,
    endpoint_of,
    rules_of,
    shown,
)
from ..module_utils._proxy_manager.plan import (
    FLAGS,
    Plan,
    PlanError,
    Wanted,
    creation,
    find_host,
    memory,
    plan,
    way_back,
)
from ..module_utils._proxy_manager.shared import (
    Journal,
    LockTimeoutError,
    default_directory,
    write_lock,
)
from ..module_utils._proxy_manager.transaction import (
    State,
    Transaction,
    TransactionError,
    Wire,
    nginx_words,
    online,
    remedy,
    same,
)
from ..module_utils._proxy_manager.version import flag
from ..module_utils._proxy_manager.wire import (
    Seen,
    handshake,
    is_served,
)

# Reconfirming an unchanged host must not wait long: what serves, serves at once.
_UNCHANGED_S = 0.5


class Task:
    """One call of the module; ``result`` is complete at any moment."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params = module.params
        self.name: str = module.params["domain_name"]
        self.result: dict[str, Any] = {
            "changed": False,
            "msg": "",
            "reasons": [],
            "findings": [],
            "drift": [],
            "notes": [],
            "block": "",
            "revision": "",
            "wire": {"before": {}, "after": {}},
            "former": {},
            "current": {},
            "text_digest": {"before": "", "after": ""},
            "api_calls": [],
            "lock_waited_s": 0.0,
        }

    def run(self) -> None:
        """Do all of it.

        :raises Exception: One of the kinds that :func:`main` turns into a message.
        """
        client = client_of(self.params)
        # The list itself goes into the result, so that a failure shows the calls too.
        self.result["api_calls"] = client.calls
        checked_name(self.name)
        wanted = self._wanted_without_lookup()
        self.result["version"] = str(client.version)
        host = find_host(client.hosts(), self.name)
        if self.params["state"] == "restored":
            self._restore(client, host)
        elif self.params["state"] == "absent":
            self._absent(client, host, wanted)
        elif host is None:
            self._create(client, self._look_up(client, wanted, None))
        else:
            self._keep(client, host, wanted)

    # What is wanted.

    def _wanted_without_lookup(self) -> Wanted:
        params = self.params
        for name in ("connect_timeout", "read_timeout", "send_timeout"):
            if not 1 <= params[name] <= 31536000:
                raise PlanError(f"{name} is {params[name]}; expected 1 to 31536000 seconds")
        port = params["forward_port"]
        if port is not None and not 1 <= port <= 65535:
            raise PlanError(f"forward_port is {port}; expected 1 to 65535")
        names = params["domain_names"]
        if names is not None and self.name.lower() not in (each.lower() for each in names):
            raise PlanError(f"domain_names does not contain {self.name}; expected domain_name among them")
        given = ("forward_scheme", "forward_host", "forward_port", "domain_names", *FLAGS)
        return Wanted(
            domain_name=self.name,
            paths=parse_paths(params["websocket_paths"], params["forward_paths"])
            if params["state"] == "present"
            else (),
            timeouts=Timeouts(params["connect_timeout"], params["read_timeout"], params["send_timeout"]),
            fields={key: params[key] for key in given if params[key] is not None},
            enabled=params["enabled"],
            replace_snippet=params["replace_snippet"],
            present=params["state"] == "present",
        )

    def _look_up(self, client: ProxyManagerClient, wanted: Wanted, host: Mapping[str, Any] | None) -> Wanted:
        """Names of certificate and access list to ids, and the rules that will be in force."""
        fields = dict(wanted.fields)
        if self.params["certificate"] is not None:
            fields["certificate_id"] = pick(
                "certificate", self.params["certificate"], client.certificates, ("nice_name", "domain_names")
            )
        if self.params["access_list"] is not None:
            fields["access_list_id"] = pick("access_list", self.params["access_list"], client.access_lists, ("name",))
        list_id = int(fields.get("access_list_id", (host or {}).get("access_list_id") or 0))
        access = None
        if list_id and wanted.paths:
            if self.params["access_list_rules"] == "refuse":
                raise PlanError(
                    f"proxy host {self.name}: access list {list_id} is in force, and a location for WebSockets is "
                    "outside of it; set access_list_rules to carry to have its rules in the block, or take the list "
                    "off the host"
                )
            access = rules_of(client, self.name, list_id)
        return Wanted(
            wanted.domain_name,
            wanted.paths,
            wanted.timeouts,
            fields,
            wanted.enabled,
            access,
            wanted.replace_snippet,
            wanted.present,
        )

    # The wire.

    def _wire(self, host: Mapping[str, Any], reachable: bool = True) -> Wire:
        """The proxy, or nothing to ask where the user said so or the host is disabled."""
        params = self.params
        if not params["check_wire"]:
            return Wire(None, 0)
        address = params["proxy_address"] or parse_api_url(params["api_url"]).host
        endpoint = endpoint_of(params, address, int(host.get("certificate_id") or 0) > 0)
        if not flag(host.get("enabled", True)):
            self._find("host_disabled", "the host is disabled, so that nothing can be asked on the wire")
            if is_served(endpoint):
                self.result["drift"].append(
                    "the database has the host disabled, the running nginx serves this name (a save leaves it so; "
                    "switch the host on and off)"
                )
            return Wire(None, 0)
        if reachable and is_served(endpoint) is None and online(host) is not False:
            text = f"the proxy does not answer at {endpoint.address}:{endpoint.port}"
            if not self.module.check_mode:
                raise PlanError(
                    f"proxy host {self.name}: {text}, so that a save could not be judged; give proxy_address and "
                    "proxy_port, or set check_wire to false to trust the API alone"
                )
            self._find("proxy_unreachable", text)
            return Wire(None, 0)
        return Wire(endpoint, params["wire_timeout"])

    def _look(self, wire: Wire, paths: tuple[str, ...]) -> dict[str, Seen]:
        return {path: handshake(wire.endpoint, path) for path in paths} if wire.endpoint else {}

    def _find(self, kind: str, text: str) -> None:
        self.result["findings"].append({"kind": kind, "text": text})
        self.module.warn(f"proxy host {self.name}: {text}")

    # The states.

    def _keep(self, client: ProxyManagerClient, host: dict[str, Any], wanted: Wanted) -> None:
        made = plan(host, self._look_up(client, wanted, host))
        state, former_state = states(made)
        wire = self._wire(host)
        seen = self._look(wire, state.paths or former_state.paths)
        self._report(host, made, seen)
        # Without the block a host is not ours, and its drift its owner's.
        resave = self._drift(host, made, wire, seen) and wanted.present
        if self.module.check_mode or not (made.changes or resave):
            self.result["changed"] = made.changes or resave
            self.result["wire"]["after"] = self.result["wire"]["before"]
            self.result["msg"] = (
                f"proxy host {self.name} {'would be saved' if self.result['changed'] else 'is as wanted'}"
            )
            return
        self._require_permission(client)
        with write_lock(client.address.url, self.params["lock_timeout"]) as waited:
            self.result["lock_waited_s"] = round(waited, 3)
            # Others may have written while this one waited.
            host = client.host(host["id"])
            made = plan(host, self._look_up(client, wanted, host))
            self._write(client, host, made, wire, resave)

    def _write(self, client: ProxyManagerClient, host: dict[str, Any], made: Plan, wire: Wire, resave: bool) -> None:
        self.result["former"] = memory(host, made)
        if made.set_enabled:
            wire = self._enable(client, host, made)
        try:
            host = self._save(client, host, made, wire, resave)
        except Exception:
            if made.set_enabled:
                with contextlib.suppress(ApiError):
                    client.enable(host["id"], False)
            raise
        if made.set_enabled is False:
            client.enable(host["id"], False)
            host, wire = client.host(host["id"]), Wire(None, 0)
            self.result["changed"] = True
        state, former_state = states(made)
        self._done(host, wire, state.paths or former_state.paths, "saved")

    def _enable(self, client: ProxyManagerClient, host: Mapping[str, Any], made: Plan) -> Wire:
        """Switch the host on, with what its database has; the proxy to ask from then on."""
        client.enable(host["id"], True)
        self.result["changed"] = True
        wire = self._wire({**host, "enabled": True}, reachable=False)
        if not made.body:
            host = client.host(host["id"])
            if online(host) is False or not wire.confirm(State(made.before.revision, made.before.paths)):
                words = nginx_words(host)
                client.enable(host["id"], False)
                self.result["changed"], self.result["restored"] = False, True
                raise PlanError(
                    f"proxy host {self.name} did not come online after it was enabled "
                    f"({words or 'the proxy does not serve it'}); it is disabled again; {remedy(words)}"
                )
        return wire

    def _save(
        self, client: ProxyManagerClient, host: dict[str, Any], made: Plan, wire: Wire, resave: bool
    ) -> dict[str, Any]:
        """Carry the plan out, or save again what is there; the host as it is then."""
        body, former = dict(made.body), dict(made.former)
        if not body and resave:
            body = former = {"advanced_config": str(host.get("advanced_config") or "")}
        if not body:
            return client.host(host["id"])
        state, former_state = states(made)
        journal = Journal(client.address.url, host["id"], default_directory())
        begun, replaced = journal.pending()
        body, former = finish(host, body, former, begun, replaced)
        journal.open(body, former)
        if "advanced_config" in former:
            text = take_apart(former["advanced_config"])
            former_state = State(text.revision, text.paths or state.paths)
        transaction = Transaction(client, host["id"], self.name, wire, state, former_state)
        self.result["notes"] = transaction.notes
        try:
            host = transaction.run(body, former, online(host) is not False)
        except TransactionError as exc:
            # Nothing of it is left when the former state serves again.
            self.result["changed"] = not exc.restored
            self.result["restored"] = exc.restored
            if exc.restored:
                journal.close()
            raise
        except ApiError:
            self.result["changed"] = transaction.sent
            if not transaction.sent:
                # What an earlier run has left behind is still to be put back.
                journal.open(begun, replaced) if begun else journal.close()
            raise
        journal.close()
        self.result["changed"] = True
        return host

    def _drift(self, host: Mapping[str, Any], made: Plan, wire: Wire, seen: Mapping[str, Seen]) -> bool:
        """Name what the database has and the running nginx has not, or the other way; whether to try a save."""
        drift: list[str] = self.result["drift"]
        if not flag(host.get("enabled", True)):
            return False
        database = State(made.before.revision, made.before.paths)
        if online(host) is False:
            words = nginx_words(host) or "no reason in the API"
            drift.append(f"the host is offline: nginx refused what the database has ({words})")
        elif not database.paths and any(each.revision for each in seen.values()):
            drift.append("the running nginx has a managed block, the database has not")
        elif wire.endpoint is not None and not wire.confirm(database, _UNCHANGED_S, rounds=1):
            told = {each.revision for each in wire.seen.values()} - {None, database.revision}
            if database.paths:
                drift.append(
                    f"the database has the managed block, the running nginx has {'another' if told else 'not'}"
                )
            else:
                # Told by an answer like the default site's, which the application might give itself: no reason to save.
                self._find("not_served", "the proxy answers for this host name as for one that it does not know")
        if drift and not made.body:
            self.result["reasons"] += drift
            return True
        return False

    def _create(self, client: ProxyManagerClient, wanted: Wanted) -> None:
        body, block = creation(wanted)
        state = State(block.revision, tuple(each.path for each in wanted.paths))
        self.result["reasons"] = ["there is no such proxy host"]
        self.result["former"] = {"created": True}
        self._remember(block, {})
        self._show(block, "", {}, body)
        self.result["changed"] = True
        if self.module.check_mode:
            self.result["msg"] = f"proxy host {self.name} would be created"
            return
        self._require_permission(client)
        with write_lock(client.address.url, self.params["lock_timeout"]) as waited:
            self.result["lock_waited_s"] = round(waited, 3)
            try:
                host_id = client.create(body)
            except (CutError, ServerFaultError) as exc:
                found = find_host(client.hosts(), self.name)
                if found is None:
                    self.result["changed"] = False
                    raise
                host_id = int(found["id"])
                if isinstance(exc, ServerFaultError):
                    self._take_back(client, host_id)
                    raise PlanError(
                        f"proxy host {self.name}: {exc}; nginx is broken by something else than this host, which is "
                        "deleted again; repair what nginx -t in Nginx Proxy Manager's container names, then run again"
                    ) from None
            except ApiError:
                self.result["changed"] = False
                raise
            host = client.host(host_id)
            wire = self._wire(host, reachable=False)
            if online(host) is False or not wire.confirm(state):
                words = nginx_words(host)
                self._take_back(client, host_id)
                raise PlanError(
                    f"proxy host {self.name} did not come online after it was created "
                    f"({words or 'the proxy does not serve it'}); it is deleted again; {remedy(words)}"
                )
            if wanted.enabled is False:
                client.enable(host_id, False)
                host, wire = client.host(host_id), Wire(None, 0)
        self._done(host, wire, state.paths, "created")

    def _take_back(self, client: ProxyManagerClient, host_id: int) -> None:
        """Delete a host that was just created; a 500 means here too that the database has changed."""
        with contextlib.suppress(ServerFaultError):
            client.delete(host_id)
        self.result["changed"], self.result["restored"] = False, True

    def _absent(self, client: ProxyManagerClient, host: dict[str, Any] | None, wanted: Wanted) -> None:
        if host is None:
            self.result["msg"] = f"there is no proxy host {self.name}"
            return
        made = plan(host, wanted)
        if not self.params["delete_host"]:
            self._keep(client, host, wanted)
            return
        if not made.before.created_by_us:
            raise PlanError(
                f"proxy host {self.name} was not created by this module, and is not deleted; "
                "delete it by hand, or leave delete_host out to take only the managed block away"
            )
        self._delete(client, host, made)

    def _delete(self, client: ProxyManagerClient, host: dict[str, Any], made: Plan) -> None:
        self._report(host, made, {})
        self.result["changed"] = True
        self.result["reasons"] = ["the host was created by this module and is not wanted any more"]
        self.result["msg"] = f"proxy host {self.name} {'would be' if self.module.check_mode else 'is'} deleted"
        if not self.module.check_mode:
            with write_lock(client.address.url, self.params["lock_timeout"]) as waited:
                self.result["lock_waited_s"] = round(waited, 3)
                client.delete(host["id"])

    def _restore(self, client: ProxyManagerClient, host: dict[str, Any] | None) -> None:
        former = self.params["former"]
        if not former:
            self.result["msg"] = f"nothing is known of a former state of proxy host {self.name}"
            return
        if host is None:
            if former.get("created"):
                self.result["msg"] = f"proxy host {self.name} is not there, as before"
                return
            raise PlanError(f"proxy host {self.name} is not there any more and cannot be restored; create it by hand")
        if former.get("created"):
            made = plan(host, Wanted(self.name, present=False))
            if made.before.created_by_us:
                self._delete(client, host, made)
                return
            raise PlanError(f"proxy host {self.name} is not marked as created by this module, and is not deleted")
        list_id = int((former.get("fields") or {}).get("access_list_id", host.get("access_list_id") or 0))
        access = rules_of(client, self.name, list_id) if list_id and former.get("block") else None
        made = way_back(host, former, self.name, access)
        wire = self._wire(host)
        state, former_state = states(made)
        seen = self._look(wire, state.paths or former_state.paths)
        self._report(host, made, seen)
        resave = self._drift(host, made, wire, seen)
        if self.module.check_mode or not (made.changes or resave):
            self.result["changed"] = made.changes or resave
            self.result["msg"] = f"proxy host {self.name} {'would be restored' if made.changes else 'is as it was'}"
            return
        with write_lock(client.address.url, self.params["lock_timeout"]) as waited:
            self.result["lock_waited_s"] = round(waited, 3)
            host = client.host(host["id"])
            self._write(client, host, way_back(host, former, self.name, access), wire, resave)

    # Reports.

    def _remember(self, block: Block | None, host: Mapping[str, Any]) -> None:
        """The state to come, by the options that were given, so that it is the same in every run that wants it."""
        given = ("forward_scheme", "forward_host", "forward_port", *FLAGS)
        enabled = self.params["enabled"]
        self.result["current"] = {
            "created": False,
            "fields": {key: self.params[key] for key in given if self.params[key] is not None},
            "enabled": flag(host.get("enabled", True)) if enabled is None else enabled,
            "block": block.text if block else None,
            "removed": [],
            "foreign_digest": "",
        }

    def _require_permission(self, client: ProxyManagerClient) -> None:
        may, _ = client.permission()
        if may is not None and may != "manage":
            raise PlanError(
                f"the account may only {may} proxy hosts, so that {self.name} cannot be saved; "
                "give it the permission to manage proxy hosts"
            )

    def _report(self, host: Mapping[str, Any], made: Plan, seen: Mapping[str, Seen]) -> None:
        self.result["reasons"] = list(made.reasons)
        for each in made.findings:
            self._find(each.kind, each.text)
        self.result["host"] = shown(host)
        self.result["former"] = memory(host, made)
        self._remember(made.block, host)
        self.result["wire"]["before"] = {path: each.shown() for path, each in seen.items()}
        self.result["text_digest"] = {
            "before": digest(made.before.foreign),
            "after": digest(made.foreign_after),
        }
        self._show(made.block, made.before.block or "", made.former, made.body)

    def _show(self, block: Block | None, before: str, former: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        self.result["block"] = block.text if block else ""
        self.result["revision"] = block.revision if block else ""
        if self.module._diff:
            self.result["diff"] = [
                {
                    "before_header": f"managed block of {self.name}",
                    "after_header": f"managed block of {self.name}",
                    "before": before,
                    "after": self.result["block"],
                },
                {
                    "before_header": f"fields of {self.name}",
                    "after_header": f"fields of {self.name}",
                    "before": _lines(former),
                    "after": _lines(body),
                },
            ]

    def _done(self, host: Mapping[str, Any], wire: Wire, paths: tuple[str, ...], verb: str) -> None:
        self.result["host"] = shown(host)
        self.result["text_digest"]["after"] = digest(take_apart(str(host.get("advanced_config") or "")).foreign)
        seen = self._look(wire, paths)
        self.result["wire"]["after"] = {path: each.shown() for path, each in seen.items()}
        proof = "and its new configuration answers" if wire.endpoint else "(not asked on the wire)"
        self.result["msg"] = f"proxy host {self.name} is {verb} {proof}"


def finish(
    host: Mapping[str, Any],
    body: dict[str, Any],
    former: dict[str, Any],
    begun: Mapping[str, Any],
    replaced: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Take the work of a killed run over: what it had left offline goes back to what served before it."""
    if not begun or online(host) is not False or any(not same(host.get(key), value) for key, value in begun.items()):
        return body, former
    return {**begun, **body}, {**former, **replaced}


def states(made: Plan) -> tuple[State, State]:
    """What the wire tells once a plan is carried out, and what it told before."""
    before = State(made.before.revision, made.before.paths)
    if made.block is None:
        # Without a block, its absence shows on the paths that it had.
        return State(None, before.paths), before
    after_text = take_apart(made.block.text)
    paths = after_text.paths
    return State(made.block.revision, paths), before if before.paths else State(None, paths)


def pick(option: str, value: str, objects: Any, keys: tuple[str, ...]) -> int:
    """The id of an object by its id or by one of its names.

    :raises PlanError: If none or more than one has it.
    """
    if value.lower() in ("none", "0"):
        return 0
    known = objects()
    if value.isdigit():
        found = [each for each in known if int(each["id"]) == int(value)]
    else:
        found = []
        for key in keys:
            found = found or [each for each in known if value in _as_list(each.get(key))]
    if len(found) == 1:
        return int(found[0]["id"])
    if found:
        ids = ", ".join(str(each["id"]) for each in found)
        raise PlanError(f"{option} is {value!r}, which fits the ids {ids}; give one of them")
    names = ", ".join(sorted(str(each.get(keys[0])) for each in known)) or "none"
    raise PlanError(f"{option} is {value!r}, which this account does not see; there are: {names}")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _lines(fields: Mapping[str, Any]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in sorted(fields.items()) if key != "advanced_config")


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "api_url": {"type": "str", "required": True},
            **CONNECTION_OPTIONS,
            "domain_name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent", "restored"], "default": "present"},
            "delete_host": {"type": "bool", "default": False},
            "former": {"type": "dict"},
            **BLOCK_OPTIONS,
            "forward_scheme": {"type": "str", "choices": ["http", "https"]},
            "forward_host": {"type": "str"},
            "forward_port": {"type": "int"},
            "domain_names": {"type": "list", "elements": "str"},
            "certificate": {"type": "str"},
            "access_list": {"type": "str"},
            "access_list_rules": {"type": "str", "choices": ["carry", "refuse"], "default": "carry"},
            **{name: {"type": "bool"} for name in FLAGS},
            "enabled": {"type": "bool"},
            "replace_snippet": {"type": "bool", "default": False},
            "check_wire": {"type": "bool", "default": True},
            "proxy_address": {"type": "str"},
            **PROXY_OPTIONS,
            "wire_timeout": {"type": "float", "default": 10},
            "lock_timeout": {"type": "float", "default": 300},
        },
        required_if=[("state", "restored", ("former",))],
        supports_check_mode=True,
    )
    task = Task(module)
    try:
        task.run()
    except LockTimeoutError as exc:
        module.fail_json(
            **{
                **task.result,
                "msg": f"another task writes to Nginx Proxy Manager and did not finish within "
                f"{module.params['lock_timeout']:g} s (lock {exc}); find it, or raise lock_timeout",
            }
        )
    except (ApiError, BlockError, PlanError, TransactionError, ValueError, OSError) as exc:
        module.fail_json(**{**task.result, "msg": str(exc)})
    module.exit_json(**task.result)


if __name__ == "__main__":
    main()
