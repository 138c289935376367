"""The one door to optional packages."""

import json
from importlib import invalidate_caches

import pytest

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
