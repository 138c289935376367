"""Tables with missing values and categories: nine estimators, one contract."""

from skml.tabular._gbdt import GBDTClassifier, GBDTRegressor
from skml.tabular._lightgbm import LightGBMClassifier, LightGBMRegressor
from skml.tabular._logistic import LRClassifier
from skml.tabular._missing_report import MissingValueReport, missing_value_report
from skml.tabular._svm_classifier import SVMClassifier
from skml.tabular._svm_regressor import SVMRegressor
from skml.tabular._xgboost import XGBoostClassifier, XGBoostRegressor

__all__ = [
    "GBDTClassifier",
    "GBDTRegressor",
    "LRClassifier",
    "LightGBMClassifier",
    "LightGBMRegressor",
    "MissingValueReport",
    "SVMClassifier",
    "SVMRegressor",
    "XGBoostClassifier",
    "XGBoostRegressor",
    "missing_value_report",
]
