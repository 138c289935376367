"""Settings that must hold before the first import of NumPy, SciPy, and of OpenMP."""

import gc
import os

# scikit-learn skips one of its estimator checks without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
# Threads of OpenMP that wait for each other would take the processor from others.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Products of a few numbers take longer in several threads, the more so beside another
# worker of pytest. Tests of threads set their number themselves.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def pytest_collection_finish():
    """Keep the garbage collector away from thousands of tests, and what they import."""
    gc.collect()
    gc.freeze()
