"""The one door to optional packages."""

from importlib import import_module


def import_optional(name, *, extra, caller):
    """Import an optional module for what needs it, or raise which extra installs it.

    A package that is installed but broken raises its own error.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        if error.name != package:
            raise
        raise ImportError(
            f"{caller} needs the package {package!r}, which is not installed. "
            f'Install it with: pip install "skml[{extra}]", or in a clone of the '
            f'repository: pip install ".[{extra}]"'
        ) from error
