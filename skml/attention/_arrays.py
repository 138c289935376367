"""Checks of arrays, and tiles of them, for the functions of attention."""

import numpy as np

TILE_ROWS = 2048  # that are encoded and embedded at a time


def tiles_of(n_rows, size=TILE_ROWS):
    """Slices of so many rows, for what would take much memory with all of them."""
    starts = range(0, n_rows, size)
    return list(map(slice, starts, range(size, n_rows + size, size)))


def as_floats(*, finite=True, **arrays):
    """Read arrays as floats: float32 stays, float16 becomes it, all others float64."""
    read = []
    for name, array in arrays.items():
        array = np.asarray(array)
        if array.dtype.kind not in "fiub":
            raise ValueError(
                f"{name} is of dtype {array.dtype}; expected an array of real numbers."
            )
        is_small = array.dtype in (np.float16, np.float32)
        array = array.astype(np.float32 if is_small else np.float64, copy=False)
        if finite and not np.isfinite(array).all():
            position = tuple(np.argwhere(~np.isfinite(array))[0].tolist())
            raise ValueError(
                f"{name}[{', '.join(map(str, position))}] is {array[position]}; values "
                "must be finite."
            )
        read.append(array)
    return read


def check_points(queries, keys, *, same_features=True, names=("queries", "keys")):
    """Read points whose features may be compared, in one precision."""
    points = as_floats(**dict(zip(names, (queries, keys), strict=True)))
    for name, array in zip(names, points, strict=True):
        if array.ndim < 2:
            raise ValueError(
                f"{name} has the shape {array.shape}; expected two dimensions at "
                "least, of which the last two are points and features."
            )
        if array.shape[-1] == 0:
            raise ValueError(f"{name} of shape {array.shape} has no features.")
    queries, keys = points
    if same_features and queries.shape[-1] != keys.shape[-1]:
        raise ValueError(
            f"{names[0]} of shape {queries.shape} and {names[1]} of shape {keys.shape} "
            "have not the same number of features."
        )
    try:
        np.broadcast_shapes(queries.shape[:-2], keys.shape[:-2])
    except ValueError:
        raise ValueError(
            f"{names[0]} of shape {queries.shape} and {names[1]} of shape "
            f"{keys.shape}: the leading dimensions do not broadcast."
        ) from None
    dtype = np.result_type(queries, keys)
    return queries.astype(dtype, copy=False), keys.astype(dtype, copy=False)


def check_bandwidth(bandwidth, points):
    """Read the bandwidth, or one a feature, in the precision of the points."""
    n_features = points.shape[-1]
    (read,) = as_floats(bandwidth=bandwidth)
    if read.shape not in {(), (n_features,)}:
        raise ValueError(
            f"bandwidth has the shape {read.shape}; expected a number, or one for each "
            f"of the {n_features} features."
        )
    rounded = read.astype(points.dtype)
    if not (rounded > 0).all():
        raise ValueError(
            f"bandwidth={read.min():g}; it must be positive, in {points.dtype}, too."
        )
    return rounded


def check_stored(name, values, shape, dtype=np.float64):
    """Check an array that was read from a file: its dtype, its shape, no NaN."""
    dtype = np.dtype(dtype)
    if not isinstance(values, np.ndarray) or values.dtype != dtype:
        raise ValueError(f"{name} is not an array of {dtype}")
    if values.shape != shape:
        raise ValueError(f"{name} has the shape {values.shape}; expected {shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name} is not finite")
