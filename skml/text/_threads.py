"""Workers, each in a thread of its own."""

from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread


def in_threads(function, workers):
    """Call a function of each worker, the first one in this thread.

    Nothing is raised before all threads have ended, Ctrl-C included: they write to
    memory that the caller owns.

    Parameters
    ----------
    function : callable
        It does its work without the GIL, or threads wait for each other.
    workers : list
        What it is called with.

    Returns
    -------
    results : list
        What it returns for each. The first error, in order of the workers, is raised
        when all have ended.
    """
    results, errors = [None] * len(workers), [None] * len(workers)
    ended, bell = [], SimpleQueue()

    def run(i):
        try:
            results[i] = function(workers[i])
        except BaseException as error:
            errors[i] = error

    def run_and_tell(i):
        run(i)
        ended.append(i)
        bell.put(None)

    n_started = 0
    try:
        for i in range(1, len(workers)):
            Thread(target=run_and_tell, args=(i,)).start()
            n_started += 1
        if workers:
            run(0)
    finally:
        _wait(ended, n_started, bell)
    for error in errors:
        if error is not None:
            raise error
    return results


def _wait(ended, n, bell):
    """Wait until so many have ended, however often Ctrl-C is pressed meanwhile.

    `Thread.join` would not do: interrupted, it takes the thread for ended.
    """
    interrupt = None
    while True:
        try:
            while len(ended) < n:
                with suppress(Empty):
                    bell.get(timeout=0.1)
            break
        except KeyboardInterrupt as error:
            interrupt = error
    if interrupt is not None:
        raise interrupt
