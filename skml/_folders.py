"""Models saved as folders of files: written beside, then put in place at once."""

import os
import secrets


def check_replaceable(path, names, what):
    """Refuse a name under which there is something else than a saved model.

    Parameters
    ----------
    path : Path
        The folder to be.
    names : collection of str
        The files that such a folder may hold.
    what : str
        What it is, for the message, e.g. ``"a saved model"``.

    Raises
    ------
    ValueError
        If there is a file, or a folder with others than these files.
    """
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file; pass the name of a folder.")
    others = {p.name for p in path.iterdir()} if path.exists() else set()
    if others := others - set(names):
        raise ValueError(
            f"{path} holds {min(others)!r:.60}, and would be replaced as a whole; pass "
            f"a new name, or a folder with nothing but {what}."
        )


def check_parent(path):
    """The folder in which a folder is to be must be there."""
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {str(path.parent)!r} to save {path.name!r} in."
        )


def replace_folder(path, names, write):
    """Write a folder beside `path`, then let both change places.

    What was there stays until all is written, and if that fails.

    Parameters
    ----------
    path : Path
        The folder.
    names : collection of str
        The files that it may hold.
    write : callable
        Writes the files into the folder that it gets.
    """
    new, old = (path.with_name(f".{secrets.token_hex(8)}.tmp") for _ in range(2))
    try:
        new.mkdir()
        write(new)
        if path.exists():
            os.replace(path, old)
        try:
            os.replace(new, path)
        except BaseException:
            if old.exists():
                os.replace(old, path)
            raise
    finally:
        for folder in (new, old):
            _remove(folder, names)


def write_files(path, names, files):
    """Write or replace a folder, from the contents of its files.

    Parameters
    ----------
    path : Path
        The folder.
    names : collection of str
        The files that it may hold.
    files : dict of str to bytes
        The contents by name.
    """

    def write(folder):
        for name, content in files.items():
            with open(folder / name, "xb") as file:
                file.write(content)
                flush(file)

    replace_folder(path, names, write)


def flush(file):
    """See to it that the data are on the disk before the name is."""
    file.flush()
    os.fsync(file.fileno())


def _remove(folder, names):
    if folder.exists():
        for name in names:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
