"""Settings that must hold before the first import of SciPy."""

import os

# scikit-learn skips one of its estimator checks without it.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
