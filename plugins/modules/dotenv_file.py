#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: dotenv_file
short_description: Keys of an env file, written so that every reader reads them alike
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Sets and removes keys of a file like C(.env.staging). Other keys, comments and the order stay byte for byte.
  - Bash's C(source), npm C(dotenv), C(@next/env) and C(python-dotenv) disagree on C($), C(#), quotes and spaces.
    Each value is written in a form that all chosen O(readers) return unchanged. A value for which there is no such form
    is refused by its key, and nothing is written.
  - The file is replaced in one step and is private from its first byte. No value of O(secret_values), of a generated
    key or of a key that is not given here is ever part of the result or the diff.
attributes:
  check_mode:
    description: Predicts the change and writes nothing; missing directories and users are tolerated.
    support: full
  diff_mode:
    description: Shows keys; values of O(values) only.
    support: full
options:
  path:
    description: The env file.
    type: path
    required: true
  values:
    description:
      - Keys with values that may be shown.
      - Numbers are written as they are, V(true) and V(false) in lower case. Lists and dictionaries are refused.
    type: dict
    default: {}
  secret_values:
    description:
      - Keys with values that are never shown.
      - Ansible blanks every equal text of the result, so a secret that is an everyday word makes the result hard to
        read.
    type: dict
    default: {}
  absent_keys:
    description: Keys to remove.
    type: list
    elements: str
    default: []
  generate:
    description:
      - Secrets that are made once on the host and then kept, for a key that neither the file nor O(sealed_path) nor
        O(generated_path) has a real value for.
      - A key that is given a value in O(values) or O(secret_values) too takes that value.
      - Each value is a dictionary with C(length) (characters, default 48) and C(alphabet) (V(alphanumeric), V(hex) or
        V(base64url), default V(alphanumeric)).
    type: dict
    default: {}
  generated_path:
    description:
      - A private file beside the releases that keeps what O(generate) has made, so that a secret stays the same when a
        release that does not have it yet is brought back and deployed from again.
      - It is written only when a value is made. Its directory must exist by then.
    type: path
  required_keys:
    description: Keys that must have a value in the end, and not one that only marks the place of a value.
    type: list
    elements: str
    default: []
  allow_placeholders:
    description:
      - Keys whose value is right although it looks like the mark for a missing one, as V(changeme) or V(your-key-here)
        do.
    type: list
    elements: str
    default: []
  readers:
    description:
      - The programs that read the file. Each given value is returned unchanged by all of them.
      - V(bash) stands for C(source), V(dotenv) for the npm package, V(next) for C(@next/env).
    type: list
    elements: str
    choices: [bash, dotenv, next, python-dotenv]
    default: [bash, dotenv, next, python-dotenv]
  manage:
    description:
      - With V(keys) the given keys are ours, everything else in the file is somebody else's.
      - With V(file) the whole file is ours, and other keys than those of O(values), O(secret_values), O(generate) and
        O(content) are removed. With O(content) its comments and order are restored as well.
    type: str
    choices: [keys, file]
    default: keys
  content:
    description:
      - Text of a new file, for order and comments. The given keys are filled in where it has them, and added at the end
        otherwise.
      - Must not hold secrets.
    type: str
  example_path:
    description:
      - A file for readers of the source that lists the keys with the comments of O(content) and no values. It is
        readable by others.
      - Only a file that this module wrote is ever changed, so an example that the source has itself stays.
    type: path
  sealed_path:
    description:
      - A private copy of the file as it was when the release was sealed. It is only read.
      - Where the file itself is missing, it is made from this copy instead of O(content).
    type: path
  owner:
    description: Owner of the file, a name or an id. The owner of an existing file is kept by default.
    type: str
  group:
    description: Group of the file, a name or an id. The group of an existing file is kept by default.
    type: str
  mode:
    description: Mode of the file, as an octal number in quotes.
    type: raw
    default: "0600"
  backup:
    description: Keep the former file beside the new one, as private, under a name with the time.
    type: bool
    default: false
  follow:
    description:
      - If O(path) itself is a symbolic link, replace the file at its end. Otherwise a link is refused.
      - Links in the directories above are always followed.
    type: bool
    default: false
seealso:
  - module: codeframe.staging.dotenv_info
"""

EXAMPLES = r"""
- name: The public URLs and the secret of the application
  codeframe.staging.dotenv_file:
    path: /srv/app/.env.staging
    values:
      NEXT_PUBLIC_WS_URL: wss://api.example.com/ws
      BACKEND_PORT: 14200
    secret_values:
      OPENAI_API_KEY: "{{ openai_api_key }}"
    generate:
      AUTH_SECRET:
        length: 64
    required_keys: [AUTH_SECRET]
    owner: deploy
    group: deploy

- name: For an application whose file is never read by Next.js
  codeframe.staging.dotenv_file:
    path: /srv/app/.env.staging
    readers: [bash, dotenv, python-dotenv]
    secret_values:
      DATABASE_PASSWORD: 'p$word'
    absent_keys: [DATABASE_PASS]
"""

RETURN = r"""
path:
  description: The file that was looked at, at the end of the link if O(follow=true).
  returned: always
  type: str
  sample: /srv/app/.env.staging
keys_added:
  description: Keys that were not in the file.
  returned: always
  type: list
  elements: str
  sample: [AUTH_SECRET]
keys_changed:
  description: Keys that at least one reader read with another value.
  returned: always
  type: list
  elements: str
  sample: [NEXT_PUBLIC_WS_URL]
keys_removed:
  description: Keys that were removed.
  returned: always
  type: list
  elements: str
  sample: []
keys_generated:
  description: Keys whose value was made in this run.
  returned: always
  type: list
  elements: str
  sample: [AUTH_SECRET]
keys_differing:
  description: Keys of others that the readers do not read alike. They are left as they are.
  returned: always
  type: list
  elements: str
  sample: [LEGACY_GREETING]
attributes_changed:
  description: Which of V(mode), V(owner) and V(group) were wrong.
  returned: always
  type: list
  elements: str
  sample: [mode]
restores:
  description:
    - Whether the file has to change although the copy at O(sealed_path) already holds everything that is wanted.
      Then nothing new is deployed, the file has only drifted.
  returned: always
  type: bool
  sample: false
backup_file:
  description: The former file.
  returned: if a backup was made
  type: str
  sample: /srv/app/.env.staging.20300102T030405Z.bak
example_changed:
  description: Whether the file at O(example_path) is missing or outdated.
  returned: always
  type: bool
  sample: false
refused:
  description: Keys that were refused, each with C(key), C(why) and C(readers). Nothing was written.
  returned: on failure, if keys were refused
  type: list
  elements: dict
  sample: [{"key": "AUTH_SECRET", "why": "contains a \"$\" before a name", "readers": ["next"]}]
"""

import grp
import os
import pwd
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._dotenv import entries as _dotenv
from ..module_utils._dotenv import store as _dotenv_store
from ..module_utils._dotenv.readers import READERS

EXAMPLE_HEADER = "# Written by codeframe.staging from the keys of the deployment: what each is for, and no values.\n"
GENERATED_HEADER = "# Secrets that were made on this host; every new release takes them from here.\n"


@dataclass(frozen=True)
class Refusal:
    key: str
    why: str
    readers: tuple[str, ...] = ()

    def sentence(self) -> str:
        if not self.readers:
            return f"{self.key} {self.why}"
        return f"{self.key} {self.why}, which {_listed(self.readers)} would read differently"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


class Task:
    """One run of the module on one file."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        params = module.params
        self.path: str = params["path"]
        self.readers: list[str] = list(dict.fromkeys(params["readers"])) or list(READERS)
        self.plain: dict[str, str] = self._strings("values")
        self.secret: dict[str, str] = self._strings("secret_values")
        self.absent: list[str] = params["absent_keys"]
        self.generated: list[str] = []
        self._check_overlaps()

    def fail(self, message: str, **result: Any) -> NoReturn:
        self.module.fail_json(msg=message, path=self.path, **result)
        raise AssertionError("fail_json returned")

    def _strings(self, option: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for key, value in self.module.params[option].items():
            if isinstance(value, bool):
                found[key] = "true" if value else "false"
            elif isinstance(value, (str, int, float)):
                found[key] = str(value)
            else:
                kind = "null" if value is None else f"a {'list' if isinstance(value, list) else 'dictionary'}"
                self.fail(f"{option}.{key} for {self.path} is {kind}, but an env file holds text; give a string")
        return found

    def _check_overlaps(self) -> None:
        for one, other, keys in (
            ("values", "secret_values", self.secret),
            ("values", "absent_keys", self.absent),
        ):
            both = sorted(set(self.plain) & set(keys))
            if both:
                self.fail(
                    f"{_listed(tuple(both))} stands in {one} and in {other} for {self.path}; keep it in one of them"
                )
        both = sorted((set(self.secret) | set(self.module.params["generate"])) & set(self.absent))
        if both:
            self.fail(
                f"{_listed(tuple(both))} is to be removed from {self.path} and to be set; keep it in one of the options"
            )

    def run(self) -> None:
        params = self.module.params
        tolerant = self.module.check_mode
        live = _dotenv_store.look(self.path, follow=params["follow"], tolerant=tolerant)
        sealed_path = params["sealed_path"]
        sealed = _dotenv_store.look(sealed_path, follow=False, tolerant=True) if sealed_path else None
        live_text = self._text(live, self.path)
        sealed_text = self._text(sealed, str(sealed_path)) if sealed else None
        kept_path: str | None = params["generated_path"]
        kept = _dotenv_store.look(kept_path, follow=False, tolerant=tolerant) if kept_path else None
        kept_text = self._text(kept, str(kept_path)) if kept else None

        wanted = {**self.plain, **self.secret}
        made = self._generate(wanted, live_text, sealed_text, kept_text)
        wanted.update(made)
        self._refuse_unwritable(wanted)
        change = self._arrange(self._base(live_text, sealed_text), wanted)
        if live_text is None:
            shown = _dotenv.Change(change.text, _dotenv.parse(change.text).keys, (), (), change.differing)
        else:
            shown = change if params["manage"] == "keys" else self._compare(live_text, change.text)
        self._refuse_missing(change.text, wanted)

        mode = self._mode(params["mode"])
        uid, gid = self._ids(live)
        attributes = self._attributes(live, mode, uid, gid)
        content_changed = live_text != change.text
        example = self._example(wanted)
        changed = content_changed or bool(attributes) or example is not None
        result: dict[str, Any] = {
            "changed": changed,
            "path": live.path,
            "keys_added": list(shown.added),
            "keys_changed": list(shown.changed),
            "keys_removed": list(shown.removed),
            "keys_generated": self.generated,
            "keys_differing": list(change.differing),
            "attributes_changed": attributes,
            "example_changed": example is not None,
            "restores": changed and example is None and sealed_text is not None and self._holds(sealed_text, wanted),
        }
        result["diff"] = self._diff(result, live, live_text, change.text, mode)
        if example is not None:
            path = params["example_path"]
            result["diff"].append({"before_header": path, "after_header": path, "before": "", "after": example})
        if change.differing:
            names, readers = _listed(change.differing), _listed(tuple(self.readers))
            self.module.warn(f"{names} in {self.path} is not read alike by {readers}; it was left as it is")
        if changed and not self.module.check_mode:
            if kept is not None and self.generated:
                # Before the file itself: what a run that dies in between has made is found by the next one.
                new = {key: made[key] for key in self.generated}
                text = _dotenv.arrange(kept_text or GENERATED_HEADER, new, (), self.readers).text
                _dotenv_store.replace(kept.path, text.encode(), mode=0o600, uid=uid, gid=gid)
            if content_changed:
                if params["backup"] and live.data is not None:
                    result["backup_file"] = self._back_up(live)
                _dotenv_store.replace(live.path, change.text.encode(), mode=mode, uid=uid, gid=gid)
            elif attributes:
                _dotenv_store.set_attributes(live.path, mode=mode, uid=uid, gid=gid)
            if example is not None:
                _dotenv_store.replace(params["example_path"], example.encode(), mode=0o644, uid=uid, gid=gid)
        self.module.exit_json(**result)

    def _example(self, wanted: Mapping[str, str]) -> str | None:
        """The text of the example, or None if there is nothing to write."""
        path: str | None = self.module.params["example_path"]
        if path is None:
            return None
        content = self.module.params["content"] or ""
        keys = dict.fromkeys([*_dotenv.parse(content).keys, *wanted])
        text = EXAMPLE_HEADER + _dotenv.arrange(content, dict.fromkeys(keys, ""), (), self.readers).text
        found = self._text(_dotenv_store.look(path, follow=False, tolerant=self.module.check_mode), path)
        if found == text or (found is not None and not found.startswith(EXAMPLE_HEADER)):
            return None
        return text

    def _text(self, found: _dotenv_store.Found, path: str) -> str | None:
        if found.data is None:
            return None
        try:
            return found.data.decode()
        except UnicodeDecodeError as error:
            line = found.data.count(b"\n", 0, error.start) + 1
            self.fail(f"{path} is no UTF-8 text (line {line}); repair that line, nothing was changed")

    def _base(self, live: str | None, sealed: str | None) -> str:
        content: str | None = self.module.params["content"]
        if content is not None and not content.endswith("\n"):
            content += "\n"
        if self.module.params["manage"] == "file" and content is not None:
            return content
        if live is not None:
            return live
        return sealed if sealed is not None else content or ""

    def _arrange(self, text: str, wanted: Mapping[str, str]) -> _dotenv.Change:
        keep: tuple[str, ...] | None = None
        if self.module.params["manage"] == "file":
            content: str | None = self.module.params["content"]
            keep = _dotenv.parse(content).keys if content else ()
        try:
            return _dotenv.arrange(text, wanted, self.absent, self.readers, keep=keep)
        except _dotenv.ParseError as error:
            self.fail(f"{self.path} cannot be parsed ({error}); repair that line, nothing was changed", line=error.line)
        except _dotenv.RefusedError as error:
            self._refuse([Refusal(error.key, error.why, error.differing)])

    def _compare(self, before: str, after: str) -> _dotenv.Change:
        """For a file that is ours as a whole: what its new text means for the keys of the former one."""
        try:
            old, new = _dotenv.values_for(before, self.readers), _dotenv.values_for(after, self.readers)
            old_keys, new_keys = _dotenv.parse(before).keys, _dotenv.parse(after).keys
        except _dotenv.ParseError:
            return _dotenv.Change(after, _dotenv.parse(after).keys, (), (), ())
        changed = (
            key for key in new_keys if key in old_keys and any(old[name].get(key) != new[name].get(key) for name in new)
        )
        added = tuple(key for key in new_keys if key not in old_keys)
        return _dotenv.Change(after, added, tuple(changed), tuple(key for key in old_keys if key not in new_keys), ())

    def _holds(self, text: str, wanted: Mapping[str, str]) -> bool:
        try:
            change = _dotenv.arrange(text, wanted, self.absent, self.readers)
        except (_dotenv.ParseError, _dotenv.RefusedError):
            return False
        return change.text == text

    def _generate(self, given: Mapping[str, str], *texts: str | None) -> dict[str, str]:
        """A value for each key of ``generate``: the one that is there, or a new one."""
        found: dict[str, str] = {}
        for key, how in self.module.params["generate"].items():
            if given.get(key):
                continue
            length, alphabet = self._recipe(key, how or {})
            for text in texts:
                value = self._current(text, key)
                if value and not _dotenv.is_placeholder(value):
                    found[key] = value
                    break
            else:
                found[key] = "".join(secrets.choice(_dotenv.ALPHABETS[alphabet]) for _index in range(length))
                self.generated.append(key)
            self.module.no_log_values.add(found[key])
        return found

    def _recipe(self, key: str, how: Any) -> tuple[int, str]:
        length = how.get("length", 48) if isinstance(how, dict) else None
        alphabet = how.get("alphabet", "alphanumeric") if isinstance(how, dict) else None
        if not str(length).isdigit() or not _dotenv.SHORTEST_SECRET <= int(str(length)) <= _dotenv.LONGEST_SECRET:
            self.fail(
                f"generate.{key}.length for {self.path} is {length!r}, but a number from "
                f"{_dotenv.SHORTEST_SECRET} to {_dotenv.LONGEST_SECRET} is expected"
            )
        if alphabet not in _dotenv.ALPHABETS:
            names = _listed(tuple(_dotenv.ALPHABETS))
            self.fail(f"generate.{key}.alphabet for {self.path} is {alphabet!r}, but one of {names} is expected")
        return int(str(length)), str(alphabet)

    def _current(self, text: str | None, key: str) -> str | None:
        """The value of a key as the first of the readers that has one sees it."""
        if text is None:
            return None
        try:
            views = _dotenv.values_for(text, self.readers)
        except _dotenv.ParseError:
            return None
        return next((view[key] for view in views.values() if view.get(key)), None)

    def _refuse_unwritable(self, wanted: Mapping[str, str]) -> None:
        refusals = []
        for key, value in wanted.items():
            try:
                _dotenv.check_key(key)
                _dotenv.encode(key, value, self.readers)
            except _dotenv.RefusedError as error:
                refusals.append(Refusal(key, error.why, error.differing))
                continue
            if _dotenv.is_placeholder(value) and key not in self.module.params["allow_placeholders"]:
                refusals.append(Refusal(key, "holds only the mark for a missing value"))
        if refusals:
            self._refuse(refusals)

    def _refuse_missing(self, text: str, wanted: Mapping[str, str]) -> None:
        views = _dotenv.values_for(text, self.readers)
        refusals = []
        for key in self.module.params["required_keys"]:
            value = wanted.get(key) or next((view[key] for view in views.values() if view.get(key)), "")
            if not value:
                refusals.append(Refusal(key, "is required but has no value"))
            elif _dotenv.is_placeholder(value) and key not in self.module.params["allow_placeholders"]:
                refusals.append(Refusal(key, "is required but holds only the mark for a missing value"))
        if refusals:
            self._refuse(refusals)

    def _refuse(self, refusals: list[Refusal]) -> NoReturn:
        said = "; ".join(refusal.sentence() for refusal in refusals)
        remedy = "give it another value"
        if any(refusal.readers for refusal in refusals):
            remedy += ", or leave out of readers what does not read this file"
        self.fail(
            f"{self.path} was not written: {said}; {remedy}",
            refused=[{"key": item.key, "why": item.why, "readers": list(item.readers)} for item in refusals],
        )

    def _mode(self, given: Any) -> int:
        try:
            mode = given if isinstance(given, int) else int(str(given), 8)
        except ValueError:
            mode = -1
        if isinstance(given, bool) or not 0 <= mode <= 0o777:
            self.fail(
                f"the mode of {self.path} is {given!r}, but an octal number in quotes is expected, such as '0600'"
            )
        return mode

    def _ids(self, live: _dotenv_store.Found) -> tuple[int | None, int | None]:
        """Owner and group to be; what exists keeps its own where nothing is asked for."""
        uid, gid = live.uid, live.gid
        owner, group = self.module.params["owner"], self.module.params["group"]
        try:
            if owner is not None:
                uid = int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
            if group is not None:
                gid = int(group) if group.isdigit() else grp.getgrnam(group).gr_gid
        except KeyError:
            if not self.module.check_mode:
                self.fail(
                    f"{self.path} cannot be given to {owner or '-'}:{group or '-'}, since one of them does not exist"
                )
        return uid, gid

    def _attributes(self, live: _dotenv_store.Found, mode: int, uid: int | None, gid: int | None) -> list[str]:
        if live.data is None:
            return []
        wrong = (("mode", live.mode != mode), ("owner", live.uid != uid), ("group", live.gid != gid))
        return [name for name, differs in wrong if differs]

    def _back_up(self, live: _dotenv_store.Found) -> str:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        name = f"{live.path}.{stamp}.bak"
        count = 1
        while os.path.lexists(name):
            count += 1
            name = f"{live.path}.{stamp}.{count}.bak"
        _dotenv_store.replace(name, live.data or b"", mode=0o600, uid=live.uid, gid=live.gid)
        return name

    def _diff(
        self, result: Mapping[str, Any], live: _dotenv_store.Found, before: str | None, after: str, mode: int
    ) -> list[dict[str, str]]:
        content_changed = before != after
        old = {} if before is None else self._visible(before)
        new = self._visible(after)
        left: list[str] = []
        right: list[str] = []
        for key in dict.fromkeys([*result["keys_added"], *result["keys_changed"], *result["keys_removed"]]):
            if key in result["keys_removed"]:
                left.append(f"{key}=(hidden)")
                continue
            shown = key in self.plain
            if key in result["keys_changed"]:
                left.append(f"{key}={old.get(key, '(read differently)')}" if shown else f"{key}=(hidden)")
            right.append(
                f"{key}={new.get(key, '')}"
                if shown
                else f"{key}=(hidden, {'added' if key in result['keys_added'] else 'changed'})"
            )
        if "mode" in result["attributes_changed"] and live.mode is not None:
            left.append(f"# mode {live.mode:04o}")
            right.append(f"# mode {mode:04o}")
        for name in ("owner", "group"):
            if name in result["attributes_changed"]:
                left.append(f"# {name} {live.uid if name == 'owner' else live.gid}")
                right.append(f"# {name} {self.module.params[name]}")
        if not left and not right and content_changed:
            right.append("# order, comments or spelling")
        return [
            {
                "before_header": live.path if before is not None else f"{live.path} (absent)",
                "after_header": live.path,
                "before": "".join(f"{line}\n" for line in left),
                "after": "".join(f"{line}\n" for line in right),
            }
        ]

    def _visible(self, text: str) -> dict[str, str]:
        """Values of plain keys; the rest is never taken into hand here."""
        try:
            views = _dotenv.values_for(text, self.readers)
        except _dotenv.ParseError:
            return {}
        found = {}
        for key in self.plain:
            seen = {view.get(key) for view in views.values()}
            if len(seen) == 1 and None not in seen:
                found[key] = str(seen.pop()).replace("\n", "\\n")
        return found


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "values": {"type": "dict", "default": {}},
            "secret_values": {"type": "dict", "default": {}, "no_log": True},
            "absent_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "generate": {"type": "dict", "default": {}},
            "generated_path": {"type": "path"},
            "required_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "allow_placeholders": {"type": "list", "elements": "str", "default": []},
            "readers": {"type": "list", "elements": "str", "choices": list(READERS), "default": list(READERS)},
            "manage": {"type": "str", "choices": ["keys", "file"], "default": "keys"},
            "content": {"type": "str"},
            "example_path": {"type": "path"},
            "sealed_path": {"type": "path"},
            "owner": {"type": "str"},
            "group": {"type": "str"},
            "mode": {"type": "raw", "default": "0600"},
            "backup": {"type": "bool", "default": False},
            "follow": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    try:
        Task(module).run()
    except _dotenv_store.StoreError as error:
        module.fail_json(msg=str(error), path=module.params["path"])


if __name__ == "__main__":
    main()
