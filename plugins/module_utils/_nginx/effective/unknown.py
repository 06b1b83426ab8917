# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Directives that the evaluation does not know, such as those of additional modules: they may do anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..config import Directive
from .inheritance import Context

#: Directives that are followed, or that do not matter for a handshake.
_KNOWN = re.compile(
    "|".join(
        (
            # Blocks, the choice of the server and location, and their rewrite.
            "server|location|if|limit_except|upstream|types|map|geo|split_clients|match|include|listen|server_name",
            "set|return|rewrite|break|try_files|error_page|recursive_error_pages|internal|root|alias|index|resolver.*",
            "rewrite_log|uninitialized_variable_warn|merge_slashes|(map|types|server_names|variables)_hash.*",
            # Access.
            "allow|deny|satisfy|auth_basic.*|auth_request.*|auth_delay|limit_.*|valid_referers|referer_hash.*",
            "real_ip.*|set_real_ip_from|secure_link.*|geoip.*|status_zone|zone|keyval.*",
            # Handlers and what belongs to them.
            "(proxy|fastcgi|uwsgi|scgi|grpc|memcached|ssl|http2|http3|quic|dav|ssi|xslt|image_filter|mp4|hls|flv)(_.*)?",
            "js_(content|set|var|import|path|include|preload_object|fetch_.*)|perl|perl_(modules|require|set)|slice",
            "(content|set|init|init_worker|log)_by_lua.*|lua_.*|echo|empty_gif|stub_status|api|dashboard|autoindex.*",
            "random_index|create_full_put_path|min_delete_depth|mirror.*|post_action",
            # Connections, logs, and what changes bodies or headers of ordinary answers.
            "access_log|error_log|log_.*|open_log_file_cache|open_file_cache.*|add_header(_inherit)?|add_trailer.*",
            "expires|etag|if_modified_since|default_type|charset.*|override_charset|source_charset|sendfile.*|aio.*",
            "directio.*|output_buffers|postpone_output|read_ahead|tcp_no(delay|push)|keepalive_.*|lingering_.*|send_.*",
            "reset_timedout_connection|client_.*|large_client_header_buffers|connection_pool_size|request_pool_size",
            "chunked_transfer_encoding|gzip.*|gunzip.*|brotli.*|zstd.*|server_name_in_redirect|port_in_redirect",
            "absolute_redirect|server_tokens|ignore_invalid_headers|underscores_in_headers|msie_.*|max_ranges|early_hints",
            "sub_filter.*|add_(before|after)_body|addition_types|userid.*|disable_symlinks|subrequest_output_buffer_size",
            "more_set_headers|vhost_traffic_status.*|otel_.*|opentracing.*|max_headers|max_errors",
        )
    )
)


def unknown_directives(contexts: Sequence[Context], server: Directive) -> Iterator[Directive]:
    """Directives in force that are not known, each name once.

    :param contexts: Those of the place that answers.
    """
    seen = set()
    for context in (*contexts, Context("", server.block or ())):
        for each in context.directives:
            if each.name not in seen and not _KNOWN.fullmatch(each.name):
                seen.add(each.name)
                yield each
