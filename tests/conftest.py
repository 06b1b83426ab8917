"""Make ``ansible_collections.codeframe.staging`` importable from this clone."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "collections"))
