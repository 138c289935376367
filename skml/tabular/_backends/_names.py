"""Names of parameters: ours, and what the libraries call them.

Of several names of a library, the first is the one that is passed on; what stands under
"" is set by the estimator.
"""

XGBOOST = {
    "n_estimators": "num_boost_round n_estimators",
    "learning_rate": "learning_rate eta",
    "max_leaf_nodes": "max_leaves grow_policy",
    "max_depth": "max_depth",
    "min_samples_leaf": "min_child_weight",
    "min_impurity_decrease": "gamma min_split_loss",
    "l2_regularization": "reg_lambda lambda",
    "l1_regularization": "reg_alpha alpha",
    "max_features": "colsample_bynode",
    "subsample": "subsample",
    "max_bins": "max_bin",
    "categorical_features": "feature_types enable_categorical",
    "missing_values": "missing",
    "monotonic_cst": "monotone_constraints",
    "interaction_cst": "interaction_constraints",
    "loss": "objective",
    "quantile": "quantile_alpha",
    "class_weight": "scale_pos_weight",
    "n_iter_no_change": "early_stopping_rounds",
    "scoring": "eval_metric",
    "n_jobs": "nthread n_jobs",
    "random_state": "seed random_state",
    "verbose": "verbosity",
    "": "num_class booster disable_default_eval_metric process_type updater",
}
LIGHTGBM = {
    "n_estimators": "num_iterations",
    "learning_rate": "learning_rate",
    "max_leaf_nodes": "num_leaves",
    "max_depth": "max_depth",
    "min_samples_leaf": "min_data_in_leaf",
    "min_impurity_decrease": "min_gain_to_split",
    "l2_regularization": "lambda_l2",
    "l1_regularization": "lambda_l1",
    "max_features": "feature_fraction_bynode",
    "subsample": "bagging_fraction bagging_freq",
    "max_bins": "max_bin",
    "categorical_features": "categorical_feature",
    "missing_values": "use_missing zero_as_missing",
    "monotonic_cst": "monotone_constraints",
    "interaction_cst": "interaction_constraints",
    "loss": "objective reg_sqrt",
    "quantile": "alpha",
    "class_weight": "scale_pos_weight is_unbalance",
    "n_iter_no_change": "early_stopping_round",
    "tol": "early_stopping_min_delta",
    "scoring": "metric",
    "n_jobs": "num_threads",
    "random_state": "seed",
    "verbose": "verbosity",
    "": "num_class boosting data valid task sigmoid input_model output_model config",
}
EXACT = {
    "n_estimators": "n_estimators",
    "learning_rate": "learning_rate",
    "max_leaf_nodes": "max_leaf_nodes",
    "max_depth": "max_depth",
    "min_samples_leaf": "min_samples_leaf",
    "min_impurity_decrease": "min_impurity_decrease",
    "max_features": "max_features",
    "subsample": "subsample",
    "loss": "loss",
    "n_iter_no_change": "n_iter_no_change",
    "tol": "tol",
    "validation_fraction": "validation_fraction",
    "random_state": "random_state",
    "verbose": "verbose",
    "warm_start": "warm_start",
    "quantile": "alpha",
    "": "init",
}


def names_of(table):
    """Our names by all those of a library."""
    return {name: ours for ours, names in table.items() for name in names.split()}
