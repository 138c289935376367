"""Fitted models as folders of data: exact, or an error that names the place."""

import json
import shutil
import struct
import sys
from numbers import Integral

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file
from scipy import sparse

from skml._codec import MODEL, File, register, stored
from skml._compat.sklearn import Interval
from skml._estimator import BaseLearner, Fitted
from skml._store import ARRAYS, read_model, write_model


@stored
class Learned(Fitted):
    n_iter_: int
    coef_: np.ndarray
    score_: float | None = None
    extra: object = None

    def check(self):
        if self.n_iter_ < 1:
            raise ValueError(f"n_iter_ is {self.n_iter_}")


class Learner(BaseLearner):
    _fitted_class = Learned
    _parameter_constraints = {
        "size": [Interval(Integral, 1, None, closed="left")],
        "extra": [object],
        "n_jobs": [Integral, None],
    }

    def __init__(self, size=2, extra=None, n_jobs=None):
        self.size = size
        self.extra = extra
        self.n_jobs = n_jobs

    def fit(self, X=None, y=None):
        self._validate_params()
        coef = np.arange(float(self.size))
        self._publish(Learned(n_iter_=3, coef_=coef, extra=self.extra))
        return self


VALUES = {
    "scalars": [None, True, 3, 2**70, -0.5, "猫 \ud800", float("inf")],
    "containers": {"a": (1, [2]), 3: {4, 5}, (6, 7): frozenset("b"), None: {}},
    "numpy": [np.float32(0.1), np.int64(7), np.bool_(True), np.str_("é")],
    "types": [np.float32, np.bool_, np.dtype("float64")],
    "strings": np.array([["a", "bc"], ["", "猫"]]),
    "objects": np.array(["a", None, 1, 2.5, True], dtype=object),
    "nothing": [np.empty((0, 3)), np.empty(0, dtype="U4"), np.array(2.0)],
    "sparse": sparse.csr_array([[0, 1.5], [0, 0], [2, 0]]),
    "matrix": sparse.csr_matrix([[0, 1.5], [2, 0]]),
    "file": File("booster.json", b"\x00{}"),
    "estimator": [1, {"inner": np.arange(3)}],
}


def assert_same(one, other):
    assert type(one) is type(other)
    if sparse.issparse(one):
        assert_array_equal(one.toarray(), other.toarray(), strict=True)
    elif isinstance(one, (np.ndarray, np.generic)):
        assert_array_equal(one, other, strict=True)
        assert (
            np.asarray(one).flags.c_contiguous == np.asarray(other).flags.c_contiguous
        )
    elif isinstance(one, dict):
        assert list(one) == list(other)
        assert_same(list(one.values()), list(other.values()))
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    else:
        assert one == other


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model"


@pytest.mark.parametrize("name", VALUES)
def test_values_come_back_as_they_were(name, path):
    model = Learner(extra=VALUES[name]).fit()
    again = Learner.load(model.save(path) and path)
    assert_same(again.extra, VALUES[name])
    assert_same(again._fitted.extra, VALUES[name])
    assert_same(again.coef_, model.coef_)
    assert vars(again).keys() == vars(model).keys()


@pytest.mark.parametrize("dtype", [*"?bBhHiIlLqQefd", ">f8", ">i2"])
@pytest.mark.parametrize("order", "CF")
def test_arrays_keep_their_values_dtype_and_order(dtype, order, path):
    array = np.array([[0, 1, 2], [3, 4, 5]], dtype=dtype, order=order)
    again = Learner.load(Learner(extra=array).fit().save(path) and path)
    assert_array_equal(again.extra, array)
    assert again.extra.dtype == array.dtype.newbyteorder("=")
    assert again.extra.flags.f_contiguous == (order == "F")


@pytest.mark.parametrize("order", "CF")
def test_an_array_that_is_shared_is_written_once(order, path):
    array = np.zeros((100, 10), order=order)
    model = Learner(extra=[array, array]).fit()
    model.save(path)
    assert sum(a.size for a in load_file(path / ARRAYS).values()) == 1000 + 2
    again = Learner.load(path)
    assert again.extra[0] is again.extra[1]


class Halves:
    """Makes its data when they are asked for."""

    def __init__(self, whole):
        self.whole = whole

    def to_data(self):
        return {"left": self.whole[::2] + 0, "right": self.whole[1::2] + 0}

    @classmethod
    def from_data(cls, data):
        whole = np.empty(len(data["left"]) + len(data["right"]))
        whole[::2], whole[1::2] = data["left"], data["right"]
        return cls(whole)


def test_arrays_that_are_made_to_be_written_are_not_mixed_up(path):
    register(Halves)
    model = Learner(extra=[Halves(np.arange(1000.0) + i) for i in range(9)]).fit()
    for i, halves in enumerate(Learner.load(model.save(path) and path).extra):
        assert_array_equal(halves.whole, np.arange(1000.0) + i)


def test_a_value_by_itself_and_mapped_into_memory(path):
    dtypes = [*"?bBhHiIlLefd"]
    arrays = [np.array([[0, 1], [1, 1]], dtype) for dtype in dtypes]
    value = Learned(n_iter_=3, coef_=np.ones(2), extra=[*arrays, np.empty((0, 2))])
    write_model(path, value)
    for mmap in (False, True):
        again = read_model(path, Learned, mmap=mmap)
        assert again.n_iter_ == 3
        assert isinstance(again.coef_, np.memmap) == mmap
        assert_same([np.asarray(a) for a in again.extra], value.extra)
    (path / ARRAYS).write_bytes((path / ARRAYS).read_bytes()[:-1])
    with pytest.raises(ValueError, match=rf"{ARRAYS} is damaged"):
        read_model(path, Learned, mmap=True)


def test_a_fit_publishes_in_one_assignment(path):
    model = Learner().fit()
    assert "score_" not in vars(model)
    before = vars(model)
    model.size = -1
    with pytest.raises(ValueError, match="size"):
        model.fit()
    assert vars(model) is before
    with pytest.raises(ValueError, match="size"):
        Learner.load(model.save(path) and path)


def test_an_index_or_a_series_is_a_list_and_missing_values_stay(path):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    extra = [frame.columns, frame.a > 1, pl.Series(["x"]), pd.NA, pd.NaT]
    again = Learner.load(Learner(extra=extra).fit().save(path) and path).extra
    assert again[:3] == [["a", "b"], [False, True], ["x"]]
    assert again[3] is pd.NA
    assert again[4] is pd.NaT
    edit(path, lambda s: s["parameters"]["extra"][3].update(name="eval"))
    with pytest.raises(ValueError, match="'eval' is no missing value"):
        Learner.load(path)


def test_missing_values_of_pandas_need_it(path, monkeypatch):
    Learner(extra=[pd.NA]).fit().save(path)
    monkeypatch.setitem(sys.modules, "pandas", None)
    message = rf"{MODEL}: Learner: extra is pandas.NA.* pip install pandas"
    with pytest.raises(ImportError, match=message) as caught:
        Learner.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (len, r"Learner: the parameter extra is <built-in.*cannot be written as data"),
        (np.array([len], object), "the parameter extra holds <built-in"),
        (np.mean, "pickle and joblib also keep functions and classes that can be imp"),
        (np.array(["2020-01-01"], "M8[D]"), r"dtype datetime64\[D\].* or use pickle"),
        (np.random.RandomState(0), "the parameter extra is RandomState"),
        (np.longdouble(1.5), "an array of the dtype (float128|longdouble)"),
    ],
)
def test_what_is_no_data_is_not_written(value, message, path):
    with pytest.raises(TypeError, match=message):
        Learner(extra=value).fit().save(path)
    assert not path.exists()


def edit(path, change):
    state = json.loads((path / MODEL).read_text())
    change(state)
    (path / MODEL).write_text(json.dumps(state))


DAMAGE = {
    "format": (lambda s: s.update(format="x"), "is not a model of this package"),
    "version": (lambda s: s.update(version=2), "expected version 1; got 2"),
    "class": (lambda s: s.update({"class": "LRClassifier"}), "has a 'LRClassifier'"),
    "parameter": (lambda s: s["parameters"].update(size=0), "'size' parameter"),
    "missing": (lambda s: s["parameters"].pop("size"), "'size' is missing"),
    "unknown": (lambda s: s["parameters"].update(x=0), "'x' is unknown"),
    "threads": (lambda s: s["parameters"].update(n_jobs=10**6), "n_jobs is 1000000"),
    "kind": (lambda s: s["parameters"].update(size={"is": "items"}), "no known kind"),
    "type": (lambda s: s["fitted"]["data"].update(n_iter_="3"), "n_iter_ is '3'"),
    "bool": (lambda s: s["fitted"]["data"].update(n_iter_=True), "n_iter_ is True"),
    "check": (lambda s: s["fitted"]["data"].update(n_iter_=0), "n_iter_ is 0"),
    "field": (lambda s: s["fitted"]["data"].pop("n_iter_"), "'n_iter_' is missing"),
    "value": (lambda s: s["fitted"].update({"class": "Popen"}), "'Popen' is no class"),
    "other": (lambda s: s.update(fitted=[1]), "fitted is a list"),
    "nothing": (lambda s: s.update(fitted=None), "nothing was fitted"),
    "no container": (lambda s: s.update(output=[]), r"output is \[\]"),
    "output": (lambda s: s.update(output="pandas"), "output is 'pandas'"),
    "order": (
        lambda s: s["fitted"]["data"]["coef_"].update(is_fortran=1),
        "coef_: is_fortran is 1",
    ),
    "array": (lambda s: s["fitted"]["data"]["coef_"].update(key="9"), "'9' is missing"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_model_is_an_error_with_the_place(kind, path):
    change, message = DAMAGE[kind]
    Learner().fit().save(path)
    edit(path, change)
    with pytest.raises(ValueError, match=message) as caught:
        Learner.load(path)
    assert str(path / MODEL) in str(caught.value)
    assert not str(caught.value).endswith("..")


HOSTILE = {
    "deep": lambda: "[" * 100_000,
    "digits": lambda: '{"format": ' + "1" * 5000 + "}",
    "twice": lambda: '{"format": "skml", "format": "skml"}',
    "constant": lambda: '{"format": NaN}',
    "binary": lambda: "\udcff",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_json_is_an_error_with_the_place(kind, path):
    Learner().fit().save(path)
    (path / MODEL).write_bytes(HOSTILE[kind]().encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match="is damaged") as caught:
        Learner.load(path)
    assert str(path / MODEL) in str(caught.value)


def test_sparse_arrays_that_would_read_elsewhere_are_refused(path):
    Learner(extra=sparse.csr_array(np.eye(3))).fit().save(path)
    arrays = load_file(path / ARRAYS)
    for array in arrays.values():
        if array.dtype.kind == "i":
            array += 100
    save_file(arrays, path / ARRAYS)
    with pytest.raises(ValueError, match="extra"):
        Learner.load(path)


def test_strings_that_could_not_be_read_are_not_written(path):
    strings = np.full(1000, "a", dtype="U10000")
    with pytest.raises(ValueError, match="extra is an array of 1000 strings"):
        Learner(extra=[strings, strings]).fit().save(path)
    assert not path.exists()
    model = Learner(extra=[strings.astype(object), strings[:800]]).fit()
    assert_same(Learner.load(model.save(path) and path).extra, model.extra)


def test_strings_that_take_more_memory_than_the_file_are_refused(path):
    Learner(extra=[np.array(["a"], dtype="U1")] * 99).fit().save(path)

    def widen(state):
        for coded in state["parameters"]["extra"]:
            coded["dtype"] = "<U1000000"  # 4 megabytes each

    edit(path, widen)
    with pytest.raises(ValueError, match=r"extra: 1 strings of the dtype <U1000000"):
        Learner.load(path)


@pytest.mark.parametrize("dtype", ["BF16", "F8_E5M2", "F8_E8M0"])
@pytest.mark.parametrize("mmap", [False, True])
def test_a_dtype_that_numpy_has_not_is_refused(dtype, mmap, path):
    write_model(path, Learned(n_iter_=3, coef_=np.ones(2)))
    n_bytes = 4 if dtype == "BF16" else 2
    entry = {"dtype": dtype, "shape": [2], "data_offsets": [0, n_bytes]}
    header = json.dumps({"0": entry}).encode()
    content = struct.pack("<Q", len(header)) + header + bytes(n_bytes)
    (path / ARRAYS).write_bytes(content)
    with pytest.raises(ValueError, match=rf"{ARRAYS} is damaged"):
        read_model(path, Learned, mmap=mmap)


@stored
class LearnedMore(Learned):
    pass


def test_what_another_estimator_learned_is_refused(path):
    model = Learner().fit()
    model._publish(LearnedMore(n_iter_=3, coef_=np.ones(2)))
    with pytest.raises(ValueError, match="fitted is a LearnedMore"):
        Learner.load(model.save(path) and path)


def test_a_file_that_is_cut_or_replaced_is_refused(path):
    Learner(extra=File("booster.json", b"{}")).fit().save(path)
    (path / "booster.json").write_bytes(b"{ }")
    with pytest.raises(ValueError, match=r"booster\.json is not the file that was"):
        Learner.load(path)
    (path / "booster.json").unlink()
    with pytest.raises(ValueError, match=r"booster\.json is missing"):
        Learner.load(path)
    (path / ARRAYS).write_bytes((path / ARRAYS).read_bytes()[:-1])
    with pytest.raises(ValueError, match=rf"{ARRAYS} is damaged"):
        Learner.load(path)
    shutil.rmtree(path)
    with pytest.raises(ValueError, match=rf"{MODEL} is missing"):
        Learner.load(path)
