"""The one door to optional packages."""

from importlib import import_module


def import_optional(name, *, extra, caller):
    """Import an optional package, or say which extra brings it.

    Parameters
    ----------
    name : str
        Name of the module to import, e.g. ``"matplotlib.pyplot"``.
    extra : str
        The extra of this package that installs it, e.g. ``"plot"``.
    caller : str
        What needs it, as the user knows it, e.g. ``"plot_vectors"``.

    Returns
    -------
    module : module
        The imported module.

    Raises
    ------
    ImportError
        If the package is not installed. A package that is installed but broken
        raises its own error.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        if error.name != package:
            raise
        raise ImportError(
            f"{caller} needs the package {package!r}, which is not installed. "
            f'Install it with: pip install "skml[{extra}]"'
        ) from error
