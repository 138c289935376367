"""Models saved as folders of files: written apart, then put in place at once."""

import os
import re
import secrets

# A folder of files that are being written, perhaps by a process that was killed.
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


def check_replaceable(path, names):
    """Refuse a path where there is a file, or a folder with others than these names."""
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {str(path.parent)!r} to save {path.name!r} in."
        )
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file; pass the name of a folder.")
    present = {p.name for p in path.iterdir()} if path.exists() else set()
    foreign = {n for n in present - set(names) if not _TEMPORARY.fullmatch(n)}
    if foreign:
        raise ValueError(
            f"{path} holds {min(foreign)!r:.60}, and is to hold nothing but a saved "
            "model; pass a new name, or another folder."
        )


def replace_folder(path, names, write):
    """Write the files of a folder, which appears, or changes, when all are written.

    A folder that is there stays, as a process may be in it, a link may lead to it, and
    others may own it. Its files stay until all are written, and if that fails. `write`
    gets the folder to write into, and `names` are the files that there may be.
    """
    if path.is_dir():
        _replace_files(path, names, write)
        return
    new = path.with_name(_temporary_name())
    try:
        new.mkdir()
        write(new)
        os.replace(new, path)
    finally:
        _remove(new, names)


def _replace_files(path, names, write):
    new, old = (path / _temporary_name() for _ in range(2))
    moved_out, moved_in = [], []
    try:
        new.mkdir()
        old.mkdir()
        write(new)
        try:
            _move(path, old, names, moved_out)
            _move(new, path, names, moved_in)
        except BaseException:
            for name in moved_in:
                os.replace(path / name, new / name)
            for name in moved_out:
                os.replace(old / name, path / name)
            raise
    finally:
        for folder in (new, old):
            _remove(folder, names)


def _move(source, target, names, moved):
    """Move files, and note which."""
    for name in names:
        if (source / name).exists():
            os.replace(source / name, target / name)
            moved.append(name)


def _temporary_name():
    return f".{secrets.token_hex(8)}.tmp"


def flush(file):
    """See to it that the data are on the disk before the name is."""
    file.flush()
    os.fsync(file.fileno())


def _remove(folder, names):
    if folder.exists():
        for name in names:
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
