"""The server that the page talks to."""
