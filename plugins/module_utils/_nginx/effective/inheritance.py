# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which directives are in force in a location: those of the innermost context that has any of that name.

One ``proxy_set_header`` in a context therefore hides those of all outer contexts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..config import Directive, Tree
from .location_choice import title
from .units import version_numbers

#: Since this version nginx speaks HTTP/1.1 to upstreams by default.
_HTTP_1_1_SINCE = (1, 29, 7)
#: Directives that are shown, with their defaults; for ``proxy_http_version`` the one before that version.
_DEFAULTS: Mapping[str, str] = {
    "proxy_http_version": "1.0",
    "proxy_connect_timeout": "60s",
    "proxy_read_timeout": "60s",
    "proxy_send_timeout": "60s",
    "proxy_buffering": "on",
    "proxy_cache": "off",
    "proxy_method": "GET",
    "proxy_pass_request_headers": "on",
    "proxy_set_body": "",
    "proxy_buffer_size": "4k",
    "limit_rate": "0",
    "gzip": "off",
    "auth_basic": "off",
    "auth_request": "off",
}
_LISTS = ("limit_conn", "limit_req", "proxy_hide_header", "proxy_pass_header", "add_header")


@dataclass(frozen=True)
class EffectiveValue:
    """A value in force; without a place it is nginx's default.

    :param words: The arguments of the directive.
    """

    value: str
    where: str | None
    context: str
    words: tuple[str, ...] = field(default=(), compare=False)

    @property
    def places(self) -> tuple[str, ...]:
        return () if self.where is None else (self.where,)

    @property
    def in_place(self) -> str:
        """For a message: `` in FILE:LINE``, or nothing for a default."""
        return f" in {self.where}" if self.where else ""


@dataclass(frozen=True)
class Context:
    """The directives of one context, such as a location."""

    name: str
    directives: tuple[Directive, ...]

    def all_of(self, name: str) -> tuple[Directive, ...]:
        return tuple(each for each in self.directives if each.name == name)


@dataclass(frozen=True)
class Effective:
    """What is in force for a request.

    :param headers: By name in lower case. A header that is set twice is sent twice, but without its empty values.
    """

    values: Mapping[str, EffectiveValue]
    headers: Mapping[str, tuple[EffectiveValue, ...]]
    lists: Mapping[str, tuple[EffectiveValue, ...]]


def contexts_of(
    tree: Tree, server: Directive, chain: Sequence[Directive], entered: Directive | None
) -> tuple[Context, ...]:
    """The contexts of a request, inner before outer.

    :param chain: The locations, outer before inner.
    :param entered: The ``if`` or ``limit_except`` that was entered.
    """
    outer_first = [
        Context("http", tuple(tree.http())),
        Context(f"server in {server.where}", server.block or ()),
        *(Context(title(each), each.block or ()) for each in chain),
    ]
    if entered is not None:
        outer_first.append(Context(f"{entered.name} in {entered.where}", entered.block or ()))
    return tuple(reversed(outer_first))


def nearest(contexts: Sequence[Context], name: str) -> tuple[Context | None, tuple[Directive, ...]]:
    """The innermost context with directives of this name, and these directives."""
    for context in contexts:
        own = context.all_of(name)
        if own:
            return context, own
    return None, ()


def effective(contexts: Sequence[Context], proxying: Sequence[Context], version: str) -> Effective:
    """What is in force.

    :param contexts: Inner before outer, see :func:`contexts_of`.
    :param proxying: Those of them that ``proxy_pass`` is taken from, since it is not inherited by a nested location.
    :param version: Version of nginx; empty if it is unknown.
    """
    values: dict[str, EffectiveValue] = {}
    for name, default in {**_DEFAULTS, "proxy_http_version": _http_version(version)}.items():
        context, own = nearest(contexts, name)
        if context is None:
            values[name] = EffectiveValue(default, None, "default")
        else:
            values[name] = _value(own[-1], " ".join(own[-1].args), context)
    context, own = nearest(proxying, "proxy_pass")
    if context is not None and own[0].args:
        values["proxy_pass"] = _value(own[0], own[0].args[0], context)
    context, own = nearest(contexts, "proxy_set_header")
    headers: dict[str, tuple[EffectiveValue, ...]] = {}
    for each in own:
        if context is not None and len(each.args) == 2:
            name = each.args[0].lower()
            headers[name] = (*headers.get(name, ()), _value(each, each.args[1], context))
    lists = {}
    for name in _LISTS:
        context, own = nearest(contexts, name)
        lists[name] = tuple(_value(each, " ".join(each.args), context) for each in own if context is not None)
    return Effective(values, headers, lists)


def _value(directive: Directive, value: str, context: Context) -> EffectiveValue:
    return EffectiveValue(value, directive.where, context.name, directive.args)


def _http_version(version: str) -> str:
    return "1.1" if version_numbers(version) >= _HTTP_1_1_SINCE else _DEFAULTS["proxy_http_version"]
