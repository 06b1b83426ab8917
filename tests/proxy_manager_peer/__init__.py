"""A test server that behaves like Nginx Proxy Manager, in front of a real nginx.

It is written from measurements of the real program and contains nothing of it.
"""
