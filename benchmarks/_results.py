"""Results of benchmarks as files, from which the documentation makes a page."""

import hashlib
import json
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from _documents import open_text

from skml import load_docstrings

_FOLDER = Path(__file__).parent / "results"
_PACKAGES = ("numpy", "scipy", "scikit-learn")


def add_save(parser):
    """Add the option `--save`."""
    parser.add_argument(
        "--save", action="store_true", help="keep the results in benchmarks/results"
    )


def save(name, machine, data, tables):
    """Write what a benchmark found, and all that is needed to repeat it.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    machine : dict
        Processor, system and versions.
    data : list of dict
        The data sets, as `docstring_lines` and `describe_file` describe them.
    tables : dict of str to (list of str, list of list)
        For each title, the header and the rows.
    """
    content = {
        "command": _command(),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "data": data,
        "tables": [
            {"title": title, "header": header, "rows": [[*map(str, r)] for r in rows]}
            for title, (header, rows) in tables.items()
        ],
    }
    _FOLDER.mkdir(exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False)
    (_FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _command():
    """The command line, with names of files in place of their paths."""
    script, *arguments = sys.argv
    names = [Path(a).name if Path(a).exists() else a for a in arguments]
    return " ".join(["python", f"benchmarks/{Path(script).name}", *names])


def docstring_lines():
    """Read documents that every machine has, and describe them.

    Returns
    -------
    lines : list of str
        The docstrings of NumPy, SciPy and scikit-learn, one line each.
    description : dict
        Their name, with the versions of the packages, and their hash.
    """
    lines = [" ".join(text.split()) for text in load_docstrings().data]
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    name = f"load_docstrings(), a line for each document: {versions}"
    return lines, _described(name, "\n".join(lines))


def describe_file(path):
    """Name and hash of a text file, unpacked."""
    with open_text(path) as file:
        return _described(Path(path).name, file.read())


def _described(name, text):
    return {"name": name, "sha256": hashlib.sha256(text.encode()).hexdigest()}
