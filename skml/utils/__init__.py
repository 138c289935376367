"""Tools for those who build estimators on this package."""

__all__ = ["estimator_checks"]
