"""Saving the boosters in folders of data: the library's own file, and what we add."""

import os
from pathlib import Path

from sklearn.utils.validation import check_is_fitted

from skml._folders import check_parent, check_replaceable, write_files
from skml.tabular._booster_files import Expected
from skml.tabular._model_state import read_state, write_state

ESTIMATOR = "estimator.json"
BOOSTERS = ("booster.json", "booster.txt")
FILES = (ESTIMATOR, *BOOSTERS)


class NativeFilesMixin:
    """Saving and loading as data, without pickle.

    A class names the file of its booster, `_booster_file`, and provides what writes
    it, `_booster_text`, checks it, `_check_booster`, and lets the library read it,
    `_take_booster`.
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
            If the folder holds other files, or the model is one that `load_model`
            refuses, such as one with linear models in its leaves.
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
        files = {ESTIMATOR: write_state(self)}
        # What could not be read again is not written.
        again = read_state(type(self), files[ESTIMATOR], ESTIMATOR)
        if not self._is_constant():
            files[self._booster_file] = self._booster_text()
            again._check_booster(files[self._booster_file], self._booster_file)
        contents = {name: text.encode() for name, text in files.items()}
        write_files(path, FILES, contents)

    @classmethod
    def load_model(cls, path):
        """Read an estimator that `save_model` wrote.

        The folder may come from anybody: no code in it runs, and a wrong file is an
        error that says what is wrong and where.

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
        estimator = read_state(cls, _read_text(where), where)
        if not estimator._is_constant():
            where = path / cls._booster_file
            text = estimator._check_booster(_read_text(where), where)
            estimator._take_booster(text, where)
        return estimator

    def _expected_booster(self, objective, names):
        """What the file of the booster must agree with."""
        return Expected(
            objective=objective,
            n_outputs=self._n_outputs(),
            n_iter=self.n_iter_,
            names=names,
            n_categories=[
                None if labels is None else len(labels)
                for labels in self._reader.categories
            ],
        )


def _read_text(path):
    if not path.is_file():
        raise ValueError(f"{path} is missing; pass a folder that save_model wrote.")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte offset {error.start} is not UTF-8.") from error
