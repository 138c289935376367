"""How much of a call's time is spent inside a library that it calls."""

from contextlib import ExitStack
from functools import wraps
from time import process_time
from unittest.mock import patch


class Inside:
    """Count the CPU seconds in some methods, however they call each other.

    Two runs of the same code differ by some percent on a shared machine. The share of
    one run that is spent outside the library does not suffer from that.

    Parameters
    ----------
    methods : list of (type, str)
        The methods; a context, within which `seconds` grows.
    """

    def __init__(self, methods):
        self.methods = methods
        self.seconds = 0.0
        self._depth = 0

    def __enter__(self):
        with ExitStack() as stack:
            for kind, name in self.methods:
                timed = self._timed(getattr(kind, name))
                stack.enter_context(patch.object(kind, name, timed))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception):
        self._stack.close()

    def _timed(self, method):
        @wraps(method)
        def timed(*args, **kwargs):
            start = process_time()
            self._depth += 1
            try:
                return method(*args, **kwargs)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += process_time() - start

        return timed
