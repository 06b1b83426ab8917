"""Staging hosts for the demo and the tests: systemd containers made with podman.

Run as ``python3 -m stagehost`` with this directory's parent on ``PYTHONPATH``; ``--help`` lists the commands.
Needs only Python 3.11 and its standard library, because it runs before anything else is installed.
"""
