"""Workers, each in a thread of its own."""

from threading import Thread


def in_threads(function, workers):
    """Call a function of each worker, the first one in this thread.

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

    def run(i):
        try:
            results[i] = function(workers[i])
        except BaseException as error:
            errors[i] = error

    threads = [Thread(target=run, args=(i,)) for i in range(1, len(workers))]
    for thread in threads:
        thread.start()
    if workers:
        run(0)
    for thread in threads:
        thread.join()
    for error in errors:
        if error is not None:
            raise error
    return results
