"""A test server that behaves like Nginx Proxy Manager, with a real nginx.

Written from measurements of the real program; it contains no part of it.
"""
