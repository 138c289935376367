"""Text checks of how an estimator describes itself: tags, repr, parameters."""

from inspect import signature

from sklearn.utils import get_tags

from skml.utils._text_checks_data import (
    assert_refused,
    documents,
    fitted,
    fresh,
    is_composition,
    target,
    token_refusal,
)


def check_text_tags(name, estimator_orig):
    """Check that the tags say that text is expected, and no table."""
    tags = get_tags(estimator_orig).input_tags
    assert tags.string, f"{name} must set tags.input_tags.string = True."
    assert not tags.two_d_array, f"{name} must set tags.input_tags.two_d_array = False."


def check_text_html_repr(name, estimator_orig):
    """Check that a notebook can show the estimator, before and after fit."""
    for estimator in (fresh(estimator_orig), fitted(estimator_orig)):
        try:
            html = estimator._repr_html_()
        except Exception as error:
            raise AssertionError(f"{name} has no HTML repr: {error!r}.") from error
        assert name in html, f"The HTML repr of {name} does not name the class."


def check_text_token_lists(name, estimator_orig):
    """Check that lists of tokens are taken, or refused because of a parameter.

    A parameter that works on text (a tokenizer, ``analyzer="char"``) may exclude
    ready tokens. The error then names the first document and that parameter.
    """
    error = token_refusal(estimator_orig)
    if error is None:
        return
    culprits = [key for key in _set_parameters(estimator_orig) if key in str(error)]
    explained = (
        isinstance(error, (ValueError, TypeError))
        and "document 0" in str(error)
        and culprits
    )
    if not explained:
        raise AssertionError(
            f"{name} refuses lists of tokens, but the error does not name document 0 "
            f"and a parameter that is set and excludes them: {error!r}."
        ) from error


def _set_parameters(estimator):
    """The names of the parameters that are not at their default."""
    defaults = signature(type(estimator)).parameters
    values = estimator.get_params(deep=False)
    changed = [key for key in values if values[key] is not defaults[key].default]
    if is_composition(estimator):
        parts = estimator.get_params().values()
        changed += [
            key
            for part in parts
            if hasattr(part, "fit")
            for key in _set_parameters(part)
        ]
    return changed


def check_text_parameter_values(name, estimator_orig):
    """Check that `fit`, and nothing before it, refuses a parameter of a wrong type."""
    wrong = type("WrongType", (), {})()
    for parameter in estimator_orig.get_params(deep=False):
        estimator = fresh(estimator_orig).set_params(**{parameter: wrong})
        assert_refused(
            lambda e=estimator: e.fit(documents("text"), target(e)),
            f"{name}.fit with {parameter}={wrong!r:.30}",
            parameter,
        )
