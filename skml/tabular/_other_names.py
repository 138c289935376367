"""Names of parameters of other libraries: what they are called here."""

from difflib import get_close_matches
from functools import wraps
from inspect import signature

# Names of several libraries for what all boosters have.
OTHERS = {
    "n_estimators": "max_iter num_boost_round num_iterations num_rounds num_trees "
    "n_trees iterations n_iter",
    "learning_rate": "eta shrinkage",
    "max_leaf_nodes": "num_leaves max_leaves",
    "max_depth": "depth",
    "min_samples_leaf": "min_child_samples min_data_in_leaf min_child_weight",
    "min_impurity_decrease": "min_split_gain min_gain_to_split gamma min_split_loss",
    "l2_regularization": "reg_lambda lambda_l2 l2_leaf_reg",
    "l1_regularization": "reg_alpha lambda_l1",
    "max_features": "colsample_bynode feature_fraction_bynode",
    "subsample": "bagging_fraction",
    "max_bins": "max_bin border_count",
    "categorical_features": "categorical_feature cat_features enable_categorical",
    "missing_values": "missing",
    "monotonic_cst": "monotone_constraints",
    "interaction_cst": "interaction_constraints",
    "loss": "objective loss_function",
    "quantile": "alpha quantile_alpha",
    "class_weight": "scale_pos_weight is_unbalance class_weights",
    "n_iter_no_change": "early_stopping_rounds early_stopping_round",
    "scoring": "eval_metric metric",
    "n_jobs": "nthread num_threads thread_count",
    "random_state": "seed random_seed",
    "verbose": "verbosity verbose_eval silent",
}
OURS = {name: ours for ours, names in OTHERS.items() for name in names.split()}
# The same of what `fit` gets.
OF_FIT = {
    "eval_set": "X_val and y_val",
    "evals": "X_val and y_val",
    "valid_sets": "X_val and y_val",
    "validation_data": "X_val and y_val",
    "eval_sample_weight": "sample_weight_val",
    "sample_weight_eval_set": "sample_weight_val",
    "weight": "sample_weight",
}


def refuse_other_parameters(cls, names):
    """Refuse names that an estimator has no parameters of, with the name to use."""
    known = signature(cls.__init__).parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
        return  # a class of the user's own
    of_fit = signature(cls.fit).parameters
    for name in names - known.keys():
        if name in OF_FIT or name in of_fit:
            advice = f"pass {OF_FIT.get(name, name)} to fit"
        else:
            advice = _advise(cls, name, "use {}", known)
        raise TypeError(f"{cls.__name__} has no parameter {name!r}; {advice}.")


def _without_types(expected):
    """A signature that is short enough for a message."""
    untyped = [p.replace(annotation=p.empty) for p in expected.parameters.values()]
    return expected.replace(parameters=untyped, return_annotation=expected.empty)


def explain_other_names(fit):
    """Let `fit` explain what arguments of other libraries are called here."""
    expected = _without_types(signature(fit))
    known = expected.parameters

    @wraps(fit)
    def explain_or_fit(self, *args, **kwargs):
        cls = type(self)
        for name in kwargs.keys() - known.keys():
            if name in OF_FIT:
                advice = f"pass {OF_FIT[name]}"
            else:
                use = f"it is a parameter of the estimator: {cls.__name__}({{}}=...)"
                advice = _advise(cls, name, use, known)
            raise TypeError(f"{cls.__name__}.fit has no argument {name!r}; {advice}.")
        try:
            expected.bind(self, *args, **kwargs)
        except TypeError as error:
            raise TypeError(
                f"{cls.__name__}.fit: {error}; it is fit{expected}."
            ) from None
        return fit(self, *args, **kwargs)

    return explain_or_fit


def _advise(cls, name, use, known):
    """What to do instead of passing what is not known."""
    parameters = cls._get_param_names()
    ours = name if name in parameters else (OURS | cls._names_of_library()).get(name)
    if ours == "n_iter_no_change":
        return use.format("early_stopping=True, n_iter_no_change")
    if ours in parameters:
        return use.format(ours)
    if ours in {"", "loss", "quantile"}:
        return "it is set by the estimator"
    known = [other for other in known if other != "self"]
    if close := get_close_matches(name, known, 1, 0.8):
        return f"the closest name is {close[0]}"
    return (
        f"it has {', '.join(known)}. Other parameters of the library behind it are "
        f"passed on by library_params={{{name!r}: ...}}"
    )
