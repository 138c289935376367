"""How far it is from `fit` to the first call of a kernel, in every family.

Run it with ::

    python benchmarks/fit_depth.py

For each estimator of `tests/catalogue.py`, `fit` runs until it calls what does the
work: a compiled kernel of this package, XGBoost, LightGBM, a learner of scikit-learn,
or a network of PyTorch. Counted are the functions of this package that were called
until then, each once, and the levels of the stack that are its own at that moment.
"""

import sys
import types
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import skml
from tests.catalogue import case, estimators

PACKAGE = str(Path(skml.__path__[0]))
KERNELS = ("_kernel", "_tokenizer", "_parser")
# Files, and functions in them, that do the work of a fit.
LIBRARIES = {
    "xgboost/training.py": {"train"},
    "xgboost/core.py": {"boost", "update"},
    "lightgbm/engine.py": {"train"},
    "_hist_gradient_boosting/gradient_boosting.py": {"fit"},
    "sklearn/ensemble/_gb.py": {"fit"},
    "sklearn/tree/_classes.py": {"fit"},
    "sklearn/svm/_base.py": {"fit", "_fit_liblinear"},
    "sklearn/svm/_classes.py": {"fit"},
    "sklearn/linear_model/_logistic.py": {"fit"},
    "torch/nn/modules/module.py": {"_call_impl"},
}


class Reached(BaseException):
    """The first call of a kernel, and how many levels of the stack are ours."""


def levels_of(frame):
    n_levels = 0
    while frame:
        n_levels += frame.f_code.co_filename.startswith(PACKAGE)
        frame = frame.f_back
    return n_levels


def reach(*args, **kwargs):
    raise Reached(levels_of(sys._getframe()))


def replace_kernels():
    """Put `reach` in the place of what is compiled; return what to undo."""
    undo = []
    for name, module in list(sys.modules.items()):
        if not name.startswith("skml.") or name.endswith(KERNELS):
            continue
        for key, value in list(vars(module).items()):
            home = getattr(value, "__module__", None)
            if isinstance(value, types.ModuleType) and value.__name__.endswith(KERNELS):
                stand_in = types.SimpleNamespace(
                    **{k: reach if callable(v) else v for k, v in vars(value).items()}
                )
            elif isinstance(home, str) and home.endswith(KERNELS) and callable(value):
                stand_in = reach
            else:
                continue
            undo.append((module, key, value))
            setattr(module, key, stand_in)
    return undo


def measure(name):
    """Levels and functions of the fit of a public estimator."""
    one = case(name)
    one.fit()  # imports what is imported late
    functions, levels = set(), None

    def watch(frame, event, _):
        if event != "call":
            return
        code = frame.f_code
        if code.co_filename.startswith(PACKAGE):
            functions.add(code)
        elif any(
            code.co_filename.endswith(file) and code.co_name in names
            for file, names in LIBRARIES.items()
        ):
            raise Reached(levels_of(frame))

    one = case(name)
    undo = replace_kernels()
    sys.setprofile(watch)
    try:
        one.fit()
    except Reached as reached:
        levels = reached.args[0]
    finally:
        sys.setprofile(None)
        for module, key, value in undo:
            setattr(module, key, value)
    # Decorators of scikit-learn and the comprehensions of Python 3.11 are no levels.
    named = {code for code in functions if not code.co_name.startswith("<")}
    return levels, len(named)


def main():
    print("| estimator | levels | functions |\n|---|---|---|")
    for name in estimators():
        levels, functions = measure(name)
        print(f"| {name} | {levels or 'no kernel'} | {functions} |", flush=True)


if __name__ == "__main__":
    main()
