"""Saving the boosters in folders of data: the library's own file, and what we add."""

import os
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skml._folders import check_parent, check_replaceable, write_files
from skml.tabular._library_params import release
from skml.tabular._model_state import read_state, write_state

ESTIMATOR = "estimator.json"
BOOSTERS = ("booster.json", "booster.txt")
FILES = (ESTIMATOR, *BOOSTERS)


class NativeFilesMixin:
    """Saving and loading as data, without pickle.

    A class names the file of its booster, `_booster_file`, and its library, `_library`.
    It provides what writes the file, `_booster_text`, lets the library read it,
    `_take_booster`, and counts what a booster has, `_booster_counts`.
    """

    def save_model(self, path):
        """Write the fitted estimator to a folder, exactly.

        What was there under this name stays until all is written, and if that fails.

        Parameters
        ----------
        path : str or path-like
            The folder. It gets the library's own model, which the library itself can
            load, as ``booster.json`` (XGBoost) or ``booster.txt`` (LightGBM), and
            ``estimator.json``: parameters, classes, categories and all else. A model
            of one single class has no booster.

        Raises
        ------
        TypeError
            If a parameter is no data, such as a function or a `RandomState`; nothing is
            written then.
        ValueError
            If the folder holds other files.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> import xgboost
        >>> from sklearn.datasets import load_diabetes
        >>> from skml import XGBoostRegressor
        >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
        >>> model = XGBoostRegressor(n_estimators=5).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save_model(Path(folder) / "model")
        ...     again = XGBoostRegressor.load_model(Path(folder) / "model")
        ...     booster = xgboost.Booster(model_file=f"{folder}/model/booster.json")
        >>> bool((again.predict(X) == model.predict(X)).all())
        True
        >>> booster.num_boosted_rounds()
        5
        """
        check_is_fitted(self, "n_iter_")
        path = Path(os.fspath(path))
        check_parent(path)
        check_replaceable(path, FILES, "a saved model")
        contents, booster = {}, None
        if not self._is_constant():
            content = self._booster_text().encode()
            contents[self._booster_file] = content
            booster = describe_booster(content, self._library)
        state = write_state(self, booster)
        # What could not be read again is not written.
        again, _ = read_state(type(self), state, ESTIMATOR)
        if booster is not None:
            again._read_booster(content, self._booster_file)
        contents[ESTIMATOR] = state.encode()
        write_files(path, FILES, contents)

    @classmethod
    def load_model(cls, path):
        """Read an estimator that `save_model` wrote.

        No code in the folder runs. A damaged file is an error that says what is wrong
        and where: what this package wrote is checked in all its parts, and the
        library's own model by its size, its hash, and its numbers of features,
        iterations and outputs. It is the library that reads it, so that a model made to
        do harm is as dangerous as it is to the library.

        Parameters
        ----------
        path : str or path-like
            The folder.

        Returns
        -------
        estimator : object
            The fitted estimator, equal to the one that was saved.

        Raises
        ------
        ValueError
            If a file is missing, damaged, of another class or of another version.
        """
        path = Path(os.fspath(path))
        where = path / ESTIMATOR
        estimator, booster = read_state(cls, _read_text(where), where)
        if not estimator._is_constant():
            where = path / cls._booster_file
            check_version(booster["version"], cls._library, where)
            estimator._read_booster(_read_booster_file(where, booster), where)
        return estimator

    def _read_booster(self, content, where):
        """Let the library read its model, and check that it belongs to the rest."""
        self._take_booster(content.decode(), where)
        n_features, n_iter = self._booster_counts()
        n_outputs = self._n_outputs()
        expect(self.n_features_in_, n_features, f"{where}: features")
        expect(self.n_iter_ * n_outputs, n_iter * n_outputs, f"{where}: trees")
        row = np.full((1, n_features), np.nan, dtype=self._dtype)
        expect(n_outputs, self._native_predict(row, raw=True).size, f"{where}: outputs")


def expect(expected, found, place):
    """Refuse what is not as it was saved."""
    if expected != found:
        raise ValueError(f"{place}: expected {expected}; got {found}.")


def describe_booster(content, library):
    """What is kept of a booster's file, so that another in its place is noticed."""
    return {
        "version": import_module(library).__version__,
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
    }


def check_version(version, library, where):
    """Refuse a model of a newer library, which an older one may misunderstand."""
    installed = import_module(library).__version__
    if release(version) > release(installed):
        raise ValueError(
            f"{where} is of {library} {version}, and {library} {installed} might "
            "predict something else. Install the newer."
        )


def _read_booster_file(path, booster):
    """Read a booster's file, if it is the one that was saved."""
    _check_file(path)
    expect(booster["size"], path.stat().st_size, f"{path}: bytes")
    content = path.read_bytes()
    if sha256(content).hexdigest() != booster["sha256"]:
        raise ValueError(
            f"{path} is not the file that was saved: its SHA-256 is another. Copy the "
            "folder again, or save the model again."
        )
    return content


def _check_file(path):
    if not path.is_file():
        raise ValueError(f"{path} is missing; pass a folder that save_model wrote.")


def _read_text(path):
    _check_file(path)
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte offset {error.start} is not UTF-8.") from error
