"""The one door to optional packages."""

import json
import os
import shutil
import subprocess
import sys
from importlib import invalidate_caches
from pathlib import Path

import pytest

import skml
from skml import neural
from skml._optional import import_optional


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    """Make a module that can be imported, from its source."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name, source):
        path = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
        invalidate_caches()

    return write


def test_returns_the_module():
    assert import_optional("json", extra="plot", caller="plot_vectors") is json


def test_returns_the_submodule():
    module = import_optional("json.decoder", extra="plot", caller="plot_vectors")
    assert module is json.decoder


@pytest.mark.parametrize("name", ["no_such_package", "no_such_package.pyplot"])
def test_names_package_caller_and_extra(name):
    with pytest.raises(ImportError) as caught:
        import_optional(name, extra="plot", caller="plot_vectors")
    assert str(caught.value) == (
        "plot_vectors needs the package 'no_such_package', which is not installed. "
        'Install it with: pip install "skml[plot]", or in a clone of the repository: '
        'pip install ".[plot]"'
    )


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("raise RuntimeError('no driver')", RuntimeError, "no driver"),
        ("raise ImportError('libx.so: not found')", ImportError, "libx.so: not found"),
        ("import no_such_dependency", ModuleNotFoundError, "no_such_dependency"),
        ("import broken_package._core", ModuleNotFoundError, "broken_package._core"),
    ],
)
def test_a_broken_package_raises_its_own_error(write_module, source, error, message):
    write_module("broken_package.__init__", source)
    with pytest.raises(error, match=message) as caught:
        import_optional("broken_package", extra="plot", caller="plot_vectors")
    assert "skml[plot]" not in str(caught.value)


FIT_WITHOUT_TORCH = """
import skml.neural
for name in skml.neural.__all__:
    estimator = getattr(skml.neural, name)()
    try:
        estimator.fit(["a", "b"], ["c", "d"])
    except ImportError as error:
        print(f"{name}: {error}")
"""


def test_fit_names_the_extra_that_installs_pytorch(write_module, tmp_path):
    write_module("torch", "raise ModuleNotFoundError('no torch', name='torch')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", FIT_WITHOUT_TORCH],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(lines) == len(neural.__all__)
    for name, line in zip(neural.__all__, lines, strict=True):
        assert line.startswith(f"{name}: {name} needs the package 'torch'")
        assert 'pip install "skml[' in line


IMPORT_WITHOUT_EXTENSIONS = """
import sys
import skml

def explain(name):
    try:
        getattr(skml, name)
    except ImportError as error:
        print(error)

explain("TfidfWeighter")
explain("attention")
sys.modules["numpy"] = None  # as if it were not installed
explain("LRClassifier")
"""


def test_a_clone_whose_extensions_are_not_compiled_says_so(tmp_path):
    sources = shutil.ignore_patterns("*.so", "*.c", "__pycache__")
    shutil.copytree(Path(skml.__file__).parent, tmp_path / "skml", ignore=sources)
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_WITHOUT_EXTENSIONS],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    *ours, other = done.stdout.splitlines()
    assert len(ours) == 2
    for line, subpackage in zip(ours, ("text", "attention"), strict=True):
        start = f"skml was imported from {tmp_path / 'skml'}, where skml.{subpackage}._"
        assert line.startswith(start)
        assert "not compiled. Run Python in another folder" in line
        assert "pip install -e ." in line
    assert other.startswith("import of numpy halted")
