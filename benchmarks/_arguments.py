"""What arguments of the command line may be."""

import argparse
import json
from pathlib import Path


def existing_file(path):
    if not Path(path).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {path!r}")
    return path


def existing_folder(path):
    if not Path(path).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {path!r}")
    return path


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, got {number}")
    return number


def setting(text):
    """A parameter and its value, from "name=value"."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value
