"""Folders of saved models: one that is there stays, and never holds half a model."""

import os
import stat

import numpy as np
import pytest

from skml import WordVectors
from skml._folders import check_replaceable, replace_folder
from skml.tabular import XGBoostClassifier

NAMES = ("a", "b", "c")
OLD, NEW = {"a": b"1", "b": b"1"}, {"a": b"2", "c": b"2"}


def read(path):
    return {p.name: p.read_bytes() for p in path.iterdir()}


def replace_with(path, files):
    def write(folder):
        for name, content in files.items():
            (folder / name).write_bytes(content)

    replace_folder(path, NAMES, write)


@pytest.fixture
def path(tmp_path):
    replace_with(tmp_path / "model", OLD)
    return tmp_path / "model"


def test_a_folder_appears_and_its_files_change(path):
    assert read(path) == OLD
    replace_with(path, NEW)
    assert read(path) == NEW
    assert os.listdir(path.parent) == ["model"]


def test_the_folder_that_is_there_stays(path, monkeypatch):
    path.chmod(0o750)
    before = path.stat()
    (path.parent / "link").symlink_to(path)
    monkeypatch.chdir(path)
    replace_with(path.parent / "link", NEW)
    assert os.getcwd() == str(path)
    assert (path.stat().st_ino, stat.S_IMODE(path.stat().st_mode)) == (
        before.st_ino,
        0o750,
    )
    assert (path.parent / "link").is_symlink()
    assert read(path) == NEW


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_what_fails_changes_nothing(path, fails_at, monkeypatch):
    replace, n_calls = os.replace, [0]

    def failing(source, target):
        n_calls[0] += 1
        if n_calls[0] == fails_at:
            raise OSError("the disk is full")
        replace(source, target)

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(OSError, match="the disk is full"):
        replace_with(path, NEW)
    assert read(path) == OLD


def test_what_a_killed_process_left_is_in_nobodys_way(path):
    left = path / ".0123456789abcdef.tmp"
    left.mkdir()
    check_replaceable(path, NAMES)
    replace_with(path, NEW)
    left.rmdir()
    assert read(path) == NEW
    (path / ".mine.tmp").mkdir()
    with pytest.raises(
        ValueError, match=r"holds '\.mine\.tmp', and is to hold nothing"
    ):
        check_replaceable(path, NAMES)


@pytest.mark.parametrize("name", [".", "../model", "../link"])
def test_estimators_are_saved_where_the_process_is(name, tmp_path, monkeypatch):
    (tmp_path / "model").mkdir()
    (tmp_path / "link").symlink_to("model")
    monkeypatch.chdir(tmp_path / "model")
    X, y = np.arange(400.0).reshape(200, 2), np.repeat([0, 1], 100)
    model = XGBoostClassifier(n_estimators=2).fit(X, y)
    vectors = WordVectors(np.eye(3), ["a", "b", "c"])
    for _ in range(2):
        model.save(name)
        assert (XGBoostClassifier.load(name).predict(X) == model.predict(X)).all()
        for file in (tmp_path / "model").iterdir():
            file.unlink()
        vectors.save(name)
        assert WordVectors.load(name).words == vectors.words
        for file in (tmp_path / "model").iterdir():
            file.unlink()
    assert os.getcwd() == str(tmp_path / "model")
