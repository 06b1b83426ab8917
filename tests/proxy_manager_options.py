"""The options of the modules for Nginx Proxy Manager as they are documented and as they are declared."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.doc_fragments.nginx_proxy_manager import ModuleDocFragment

_KEYS = ("type", "elements", "required", "default", "choices")


class _DeclaredError(Exception):
    """Ends ``main()`` where it has declared its options."""


def _described(options: dict[str, Any], inner: str) -> dict[str, Any]:
    found = {}
    for name, option in options.items():
        found[name] = {key: option[key] for key in _KEYS if key in option}
        if inner in option:
            found[name]["options"] = _described(option[inner], inner)
    return found


def option_specs(module: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], dict[str, Any]]:
    """(options by the documentation and its fragments, options by the code)."""

    def declare(argument_spec: dict[str, Any], **_: Any) -> None:
        raise _DeclaredError(argument_spec)

    own = yaml.safe_load(module.DOCUMENTATION)
    documented = dict(own["options"])
    for fragment in own["extends_documentation_fragment"]:
        part = fragment.removeprefix("codeframe.staging.nginx_proxy_manager").removeprefix(".") or "documentation"
        shared = yaml.safe_load(getattr(ModuleDocFragment, part.upper()))["options"]
        assert not set(shared) & set(documented), "each option is documented once"
        documented |= shared
    monkeypatch.setattr(module, "AnsibleModule", declare)
    with pytest.raises(_DeclaredError) as declared:
        module.main()
    return _described(documented, "suboptions"), _described(declared.value.args[0], "options")
