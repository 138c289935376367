"""Results of benchmarks as files, from which the documentation makes a page."""

import hashlib
import json
import os
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from _documents import open_bytes

from skml import load_docstrings

_FOLDER = Path(__file__).parent / "results"
_PACKAGES = ("numpy", "scipy", "scikit-learn")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_GITHUB = "https://github.com"
_DATASETS = (
    f"{_GITHUB}/jbrownlee/Datasets/blob/d20fcb6402ae34e653d4513b00f39257bb37ed7f"
)
_NLTK = f"{_GITHUB}/nltk/nltk_data/blob/5db857e6f7df11eabb5e5665836db9ec8df07e28"
# Where files of public data were taken from, by their names.
_SOURCES = {
    "AmesHousing.txt": f"{_GITHUB}/rasbt/machine-learning-book/blob/"
    "35ab3774e8e249c43a98209d8efd94c060102003/ch09/AmesHousing.txt",
    "adult-train.csv": f"{_DATASETS}/adult-train.csv",
    "horse-colic.csv": f"{_DATASETS}/horse-colic.csv",
    "mammographic_masses.data": f"{_GITHUB}/TorbenSell/missing_data/blob/"
    "434face267b9687106d8b6312a619c61fe31d7f4/mammographic_masses.data",
    "sentence_polarity.zip": f"{_NLTK}/packages/corpora/sentence_polarity.zip",
    "sms.tsv": f"{_GITHUB}/justmarkham/pycon-2016-tutorial/blob/"
    "5339710562cc46c4a32a369d63f1e8751a18a54e/data/sms.tsv",
}


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
    threads = [f"{name}={os.environ[name]}" for name in _THREADS if name in os.environ]
    names = [Path(a).name if Path(a).exists() else a for a in arguments]
    return " ".join([*threads, "python", f"benchmarks/{Path(script).name}", *names])


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
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    return lines, {"name": name, "sha256": digest}


def describe_file(path, folder=None):
    """Describe a file of data: name, in a folder if given, and hash, unpacked."""
    path = Path(path)
    with open_bytes(path) as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    name = path.relative_to(folder).as_posix() if folder else path.name
    source = {"source": _SOURCES[path.name]} if path.name in _SOURCES else {}
    return {"name": name, "sha256": digest, **source}
