#!/usr/bin/env bash
# Sphinx's viewcode leaves out a module whose decorator unpacks a dict: @f({**a, "b": 1}).
#
# Expected: a source page and [source] links for every importable module; or a warning.
# Seen: the parser of Sphinx pairs the keys of a dict with its values, and an unpacked dict
# has a value and no key. The error is swallowed: no source page, no [source] link, no
# warning under -W. The index of source pages still links to the page that is not there.
# The same module with the operator, @f(a | {"b": 1}), has all three.
#
# Exits with 0 while that is so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet sphinx==9.0.4
mkdir "$folder/docs"
cd "$folder"
for name in unpacked merged plain; do
    case $name in
        unpacked) argument='{**LIMITS, "step": int}' ;;
        merged) argument='LIMITS | {"step": int}' ;;
        plain) argument='LIMITS' ;;
    esac
    cat >"${name}_limits.py" <<PYTHON
LIMITS = {"start": int}


def checked(types):
    return lambda function: function


@checked($argument)
def $name(start, step=1):
    """Count from a start."""
PYTHON
done
cat >docs/conf.py <<'PYTHON'
extensions = ["sphinx.ext.autodoc", "sphinx.ext.viewcode"]
PYTHON
cat >docs/index.rst <<'RST'
Limits
======

.. autofunction:: unpacked_limits.unpacked
.. autofunction:: merged_limits.merged
.. autofunction:: plain_limits.plain
RST
PYTHONPATH=. venv/bin/sphinx-build -q -W -b html docs site
venv/bin/python - <<'PYTHON'
import sys
from importlib.metadata import version
from pathlib import Path

sources = Path("site/_modules")
index = (sources / "index.html").read_text("utf-8")
names = ("unpacked", "merged", "plain")
pages = {name: (sources / f"{name}_limits.html").exists() for name in names}
linked = {name: f"{name}_limits.html" in index for name in names}
print(f"Sphinx {version('sphinx')}, which built without a warning")
print("expected: a source page for each module that the index links to")
print(f"seen:     linked {linked}, pages {pages}")
asked = all(linked.values()) and pages["merged"] and pages["plain"]
sys.exit(not asked or pages["unpacked"])
PYTHON
