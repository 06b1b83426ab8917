# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Follow a request through the phases of nginx (``ngx_http_core_module.c``).

The phases are: rewrite of the server, choice of the location, rewrite of the location, access, ``try_files``, content.
An answer of nginx's own looks for an ``error_page``, which may lead to another location.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..config import Directive, Tree
from .access import access
from .findings import UNDECIDED, WARNING, ConfigFinding
from .inheritance import Context, contexts_of, nearest
from .location_choice import choose_location, modifier_and_path
from .patterns import python_regex
from .request import HttpRequest
from .rewrite import Ended, Rewrite, Uri
from .surroundings import Decisions, NotFollowedError, Surroundings
from .upstream import Upstream, upstream_of
from .variables import Variables

#: ``NGX_HTTP_MAX_URI_CHANGES`` and one more, after which nginx gives up.
_MOST_CHANGES = 11
#: Answers that end a connection without a look at ``error_page``.
_CLOSED = (408, 444, 499)
#: Answers of a server that ``auth_request`` asks which refuse a client; any other but 2xx is a failure to nginx.
_REFUSALS = (401, 403)
_HANDLERS = (
    *("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass", "stub_status"),
    *("empty_gif", "flv", "mp4", "perl", "js_content", "content_by_lua_block", "content_by_lua_file", "echo", "api"),
)


@dataclass(frozen=True)
class Place:
    """The configuration in force for a request.

    :param chain: The locations, outer before inner; none where the server itself answers.
    :param entered: The ``if`` or ``limit_except`` inside of the innermost location.
    :param contexts: Inner before outer.
    """

    server: Directive
    chain: tuple[Directive, ...]
    entered: Directive | None
    contexts: tuple[Context, ...]

    @property
    def location(self) -> Directive | None:
        return self.chain[-1] if self.chain else None

    @property
    def proxying(self) -> tuple[Context, ...]:
        """Where ``proxy_pass`` is taken from: an ``if`` inherits it, a nested location does not."""
        return self.contexts[: 2 if self.entered else 1] if self.chain else ()


@dataclass(frozen=True)
class Outcome:
    """How a request ends.

    :param place: The place that answers.
    :param upstream: Where the request is proxied to; ``None`` if it is not.
    :param ended: The first answer of nginx's own, and ``ended_at`` its place. An ``error_page`` may have led on.
    :param status: The status that an ``error_page`` gives to the answer of the upstream; 0 for the upstream's own.
    :param error_page: The ``error_page`` that led to the place.
    :param handler: The directive that answers where it is not ``proxy_pass``.
    :param doubts: What the outcome depends on and the configuration does not say.
    """

    place: Place
    upstream: Upstream | None
    ended: Ended | None
    ended_at: Place | None
    status: int
    error_page: Directive | None
    handler: Directive | None
    doubts: tuple[ConfigFinding, ...]


class _EndedError(Exception):
    """Carries an answer of nginx's own out of a phase."""

    def __init__(self, ended: Ended) -> None:
        super().__init__(ended.status)
        self.ended = ended


class Flow:
    """One request; ``variables`` are those of the handshake."""

    def __init__(
        self,
        tree: Tree,
        server: Directive,
        request: HttpRequest,
        variables: Variables,
        surroundings: Surroundings,
        decisions: Decisions,
        subrequest: str | None = None,
    ) -> None:
        self._tree = tree
        self._server = server
        self._request = request
        self._variables = variables
        self._surroundings = surroundings
        self._decisions = decisions
        self._is_subrequest = subrequest is not None
        self._uri = Uri(request.path, request.arguments)
        if subrequest is not None:
            # The path is taken as it is written, and the arguments of the request are not those of the subrequest.
            self._uri.replace(subrequest, "")
        self._changes = _MOST_CHANGES
        self.place = self._at(())
        self._status = 0
        self._error_page: Directive | None = None
        self._error_pages_used = False
        self._first: Ended | None = None
        self._first_at: Place | None = None
        self._doubts: list[ConfigFinding] = []

    def outcome(self) -> Outcome:
        """Follow the request to its end.

        :raises NotFollowedError: If that needs what is not known.
        """
        step: Callable[[], Outcome] = self._from_server
        while True:
            try:
                return step()
            except _EndedError as error:
                following = self._special(error.ended)
                if following is None:
                    return self._outcome()
                step = following

    def _outcome(self, upstream: Upstream | None = None, handler: Directive | None = None) -> Outcome:
        return Outcome(
            self.place,
            upstream,
            self._first,
            self._first_at,
            self._status,
            self._error_page,
            handler,
            tuple(self._doubts),
        )

    # ------------------------------------------------------------------ phases

    def _from_server(self) -> Outcome:
        self._enter(())
        self._rewrite(self._server)
        return self._from_location_choice()

    def _from_location_choice(self) -> Outcome:
        while True:
            self._uri.changed = False
            located = choose_location(self._server, self._uri.path, self._matches)
            self._enter(located.chain)
            location = located.innermost
            if location is not None and location.children("internal") and not self._uri.rewritten:
                raise _EndedError(Ended(404, location.children("internal")[0]))
            if located.redirects:
                raise _EndedError(Ended(301, location, f"{self._uri.path}/"))
            self._rewrite_location()
            if not self._uri.changed:
                return self._from_access()
            self._count_change(location)

    def _from_named(self, name: str, by: Directive) -> Outcome:
        self._count_change(by)
        found = [each for each in self._server.children("location") if modifier_and_path(each) == ("", name)]
        if not found:
            raise _EndedError(Ended(500, by))
        self._uri.rewritten, self._uri.changed = True, False
        self._enter((found[0],))
        self._rewrite_location()
        if self._uri.changed:
            self._count_change(found[0])
            return self._from_location_choice()
        return self._from_access()

    def _from_internal_redirect(self, path: str, by: Directive) -> Outcome:
        self._count_change(by)
        path, _mark, arguments = path.partition("?")
        self._uri.replace(path, arguments)
        return self._from_server()

    def _from_access(self) -> Outcome:
        if not self._is_subrequest:
            self._check_access()
            self._check_mirrors()
        following = self._try_files()
        if following is not None:
            return following()
        return self._content()

    def _content(self) -> Outcome:
        handler = self._handler()
        if handler is None:
            self._static()
            return self._outcome()
        if handler.name != "proxy_pass":
            return self._outcome(handler=handler)
        upstream = upstream_of(
            self._tree,
            handler,
            self.place.location,
            self.place.contexts,
            self._uri,
            self._variables,
            self._request,
            self._surroundings,
        )
        if upstream.failure is not None:
            raise _EndedError(upstream.failure)
        return self._outcome(upstream, handler)

    # ------------------------------------------------------------------ the parts of the phases

    def _at(self, chain: tuple[Directive, ...], entered: Directive | None = None) -> Place:
        return Place(self._server, chain, entered, contexts_of(self._tree, self._server, chain, entered))

    def _enter(self, chain: tuple[Directive, ...], entered: Directive | None = None) -> None:
        self.place = self._at(chain, entered)
        self._uri.publish(self._variables)
        root = self._root()
        known = self._variables.known
        known["document_root"] = root
        known["request_filename"] = None if root is None else root + self._uri.path
        _context, referers = nearest(self.place.contexts, "valid_referers")
        # A handshake has no Referer.
        known["invalid_referer"] = "" if not referers or any("none" in each.args for each in referers) else "1"

    def _root(self) -> str | None:
        """The directory of files; ``None`` with an ``alias`` or an unknown variable."""
        if nearest(self.place.contexts[:1], "alias")[1]:
            return None
        _context, own = nearest(self.place.contexts, "root")
        return self._variables.text(own[0].args[0]) if own and own[0].args else "html"

    def _rewrite(self, block: Directive) -> Directive | None:
        """Run the directives of a server or location; returns the ``if`` that was entered."""
        uri = self._uri
        rewrite = Rewrite(self._variables, uri, self._decide_condition, self._surroundings.is_directory)
        rewritten = rewrite.run(block.block or ())
        if rewritten.ended is not None:
            if block is not self._server and rewritten.entered is not None:
                self._enter(self.place.chain, rewritten.entered)
            raise _EndedError(rewritten.ended)
        return rewritten.entered

    def _rewrite_location(self) -> None:
        """Run the directives of the location, and enter its ``if`` or ``limit_except``."""
        location = self.place.location
        if location is None:
            return
        for each in location.children("limit_except"):
            if "GET" not in map(str.upper, each.args):
                # Nothing is rewritten inside of it.
                self._enter(self.place.chain, each)
                return
        entered = self._rewrite(location)
        self._enter(self.place.chain, entered)

    def _decide_condition(self, each: Directive) -> bool:
        return self._decisions.answer(each.where, f"the condition {' '.join(each.args)} depends on the request")

    def _matches(self, location: Directive, path: str) -> bool:
        modifier, text = modifier_and_path(location)
        pattern = python_regex(text, ignore_case=modifier == "~*")
        if pattern is None:
            return self._decisions.answer(
                location.where, f"the regular expression {text} of the location cannot be evaluated here"
            )
        return self._variables.matches(pattern, path)

    def _count_change(self, by: Directive | None) -> None:
        self._changes -= 1
        if self._changes == 0:
            raise _EndedError(Ended(500, by))

    def _check_access(self) -> None:
        """The access phase: ``auth_request``, then ``allow`` and ``deny``, then ``auth_basic``."""
        contexts = self.place.contexts
        any_of_them = _value(contexts, "satisfy") == "any"
        doubts: list[tuple[str, Directive, str, str]] = []
        refused: Ended | None = None
        request = self._auth_request()
        if request is not None:
            answer = self._permission(request)
            if answer is None:
                doubts.append(("authentication", request, "asks for authentication by auth_request", "401 403 500"))
            elif answer.status < 300:
                if any_of_them:
                    return
            elif answer.status not in _REFUSALS or not any_of_them:
                raise _EndedError(answer)
            else:
                refused = answer
        rules = next(
            (found for each in contexts if (found := [d for d in each.directives if d.name in ("allow", "deny")])), []
        )
        verdict = access(rules, self._request.client_address)
        if verdict.rule is not None and verdict.allowed is None:
            doubts.append(("access", verdict.rule, "allows and denies by the address of the client", "403"))
        elif verdict.rule is not None and any_of_them and verdict.allowed:
            return
        elif verdict.allowed is False:
            refused = refused or Ended(403, verdict.rule)
            if not any_of_them:
                raise _EndedError(refused)
        basic = self._auth_basic()
        if basic is not None:
            doubts.append(("authentication", basic, "asks for authentication by auth_basic", "401 403"))
        if refused is not None and not doubts:
            raise _EndedError(refused)
        for doubt in doubts:
            self._doubt(*doubt)

    def _auth_basic(self) -> Directive | None:
        _context, basic = nearest(self.place.contexts, "auth_basic")
        _context, users = nearest(self.place.contexts, "auth_basic_user_file")
        return basic[0] if basic and users and self._variables.text(basic[0].args[0]) != "off" else None

    def _auth_request(self) -> Directive | None:
        _context, request = nearest(self.place.contexts, "auth_request")
        return request[0] if request and request[0].args != ("off",) else None

    def _permission(self, request: Directive) -> Ended | None:
        """The answer that ``auth_request`` gives to the client; ``None`` if another server decides it.

        Its status is below 300 for a client that is let in.
        """
        outcome = self._subrequest(request)
        if outcome is None:
            return None
        if outcome.upstream is not None or outcome.handler is not None:
            if outcome.upstream is not None and _passes_upgrade(outcome.place, self._variables):
                self._doubts.append(
                    ConfigFinding(
                        "auth_upgrade",
                        WARNING,
                        f"{_title_of(outcome.place)}, which auth_request in {request.where} asks, passes Upgrade: a "
                        "server that takes the question for a WebSocket makes nginx answer with status 500; set "
                        'proxy_set_header Upgrade "" there',
                        (request.where, outcome.place.contexts[0].directives[0].where),
                    )
                )
            return None
        status = outcome.status or 200
        if status < 300 or status in (*_REFUSALS, *_CLOSED):
            return Ended(status, request, why=f"answers {status}")
        return Ended(500, request, why=f"answers {status}, and nginx takes all but 2xx, 401 and 403 for a failure")

    def _subrequest(self, by: Directive) -> Outcome | None:
        """Follow a subrequest of this request; ``None`` if it cannot be followed."""
        variables = self._variables.of_subrequest()
        flow = Flow(
            *(self._tree, self._server, self._request, variables, self._surroundings, self._decisions),
            subrequest=by.args[0],
        )
        try:
            outcome = flow.outcome()
        except NotFollowedError:
            return None
        self._variables.take_over(variables)
        return outcome

    def _check_mirrors(self) -> None:
        """A copy of the handshake that another server accepts as well breaks the connection."""
        _context, mirrors = nearest(self.place.contexts, "mirror")
        for each in mirrors:
            outcome = None if each.args == ("off",) else self._subrequest(each)
            if outcome is not None and outcome.upstream is not None and _passes_upgrade(outcome.place, self._variables):
                target = outcome.upstream.by
                message = (
                    f"mirror in {each.where} sends a copy of the handshake with Upgrade to {target.args[0]} in "
                    f"{target.where}, which breaks the connection if it is accepted there: set proxy_set_header "
                    'Upgrade "" there'
                )
                self._doubts.append(ConfigFinding("mirror_upgrade", UNDECIDED, message, (each.where,)))

    def _doubt(self, code: str, by: Directive, what: str, codes: str) -> None:
        """Go on as if the client was let in; otherwise nginx answers with one of the codes."""
        for page in self._error_pages():
            if set(codes.split()) & set(page.args[:-1]):
                raise NotFollowedError(page.where, f"{by.name} in {by.where} decides whether it applies")
        title = self.place.contexts[0].name
        self._doubts.append(ConfigFinding(code, UNDECIDED, f"{title} {what} in {by.where}", (by.where,)))

    def _try_files(self) -> Callable[[], Outcome] | None:
        """What ``try_files`` leads to; ``None`` if the location goes on itself."""
        context = self.place.contexts[0]
        if self.place.entered is not None or not context.all_of("try_files"):
            return None
        each = context.all_of("try_files")[0]
        root = self._root()
        for argument in each.args[:-1]:
            path = self._variables.text(argument)
            if path is None or root is None:
                raise NotFollowedError(each.where, f"the path {argument} is not known")
            if self._is_there(each, root + path, directory=path.endswith("/")):
                self._uri.path = path.rstrip("/") if path.endswith("/") and path != "/" else path
                self._uri.publish(self._variables)
                return None
        last = each.args[-1]
        if re.fullmatch(r"=\d+", last):
            raise _EndedError(Ended(int(last[1:]), each))
        if last.startswith("@"):
            return lambda: self._from_named(last, each)
        path = self._variables.text(last)
        if path is None:
            raise NotFollowedError(each.where, f"the path {last} is not known")
        return lambda: self._from_internal_redirect(path, each)

    def _is_there(self, by: Directive, path: str, *, directory: bool) -> bool:
        try:
            found = self._surroundings.is_directory(path)
        except FileNotFoundError:
            return False
        if found is None:
            raise NotFollowedError(by.where, f"whether {path} exists is not known")
        return found == directory

    def _handler(self) -> Directive | None:
        """The directive that makes the content: the last one, and that of an ``if`` before that of its location."""
        for context in self.place.contexts[: 2 if self.place.entered else 1]:
            found = [each for each in context.directives if each.name in _HANDLERS]
            if found:
                return found[-1]
        return None

    def _static(self) -> None:
        """Serve a file; whether it is missing matters only if an ``error_page`` leads on."""
        root, pages = self._root(), self._error_pages()
        if not pages and not self._is_subrequest:
            return
        where = pages[0].where if pages else self.place.server.where
        if root is None or self._uri.path.endswith("/"):
            raise NotFollowedError(where, "whether it applies depends on files")
        try:
            found = self._surroundings.is_directory(root + self._uri.path)
        except FileNotFoundError:
            raise _EndedError(Ended(404, None)) from None
        if found is None:
            raise NotFollowedError(where, "whether it applies depends on files")
        if found:
            raise _EndedError(Ended(301, None, f"{self._uri.path}/"))

    # ------------------------------------------------------------------ answers of nginx's own

    def _error_pages(self) -> Sequence[Directive]:
        return () if self._error_pages_used else nearest(self.place.contexts, "error_page")[1]

    def _special(self, ended: Ended) -> Callable[[], Outcome] | None:
        """What follows an answer of nginx's own; ``None`` if it is sent."""
        if self._first is None:
            self._first, self._first_at = ended, self.place
        if not (ended.sent and self._status):
            self._status = ended.status
        if ended.sent or ended.status in _CLOSED or ended.status < 300 or self._changes == 0:
            return None
        for page in self._error_pages():
            codes, target = page.args[:-1], page.args[-1]
            if str(ended.status) not in codes:
                continue
            self._error_page = page
            self._error_pages_used = _value(self.place.contexts, "recursive_error_pages") != "on"
            replaced = [code for code in codes if code.startswith("=")]
            if replaced:
                self._status = int(replaced[0][1:] or 0)
            path = self._variables.text(target)
            if path is None:
                raise NotFollowedError(page.where, f"the value of {target} is not known")
            if path.startswith("@"):
                return lambda: self._from_named(path, page)
            if path.startswith("/"):
                return lambda: self._from_internal_redirect(path, page)
            return None
        return None


def _passes_upgrade(place: Place, variables: Variables) -> bool:
    _context, own = nearest(place.contexts, "proxy_set_header")
    return any(each.args[0].lower() == "upgrade" and variables.text(each.args[1]) != "" for each in own)


def _title_of(place: Place) -> str:
    return place.contexts[0].name


def _value(contexts: Sequence[Context], name: str) -> str:
    _context, own = nearest(contexts, name)
    return own[0].args[0] if own and own[0].args else ""
