"""What users paste into the Advanced tab."""

SNIPPET = """\
proxy_http_version 1.1;
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection "upgrade";
proxy_read_timeout 86400;
"""
USER_TEXT = "# Ours, since the move.\r\nclient_max_body_size 20m;\n\n\tadd_header X-Team blue;  # no newline at the end"
OTHER_LOCATION = "location = /ws { return 410; }\n"
DEFAULT_LOCATION_IN_COMMENT = "# location / { was here once }\n"
# The anchor of the pattern that the program searches for is a semicolon too.
DEFAULT_LOCATION_AFTER_SEMICOLON = "# was here once; location / { }\n"


def pasted_location(backend: int) -> str:
    """The location of common recipes, to this port of the application."""
    return f"""\
location /ws {{
    proxy_pass http://127.0.0.1:{backend};
    proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection "upgrade";
}}
"""
