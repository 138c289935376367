"""The matrices of fastText's files, dense or quantised: to read and to write them."""

import struct

import numpy as np

from skml.text._quantized import (
    MOST_TIMES,
    N_CENTROIDS,
    QuantizedVectors,
    takes_too_much,
)
from skml.text._word_vector_window import CHUNK

_SHAPE = struct.Struct("<2q")
_QUANTIZER = struct.Struct("<4i")


# Reading


def read_matrix(reader, shape, skipped, *, is_quantised):
    """The rows of a matrix without those of a range."""
    read = _read_quantised if is_quantised else _read_dense
    return read(reader, shape, skipped)


def _check_shape(reader, shape):
    found = reader.unpack(_SHAPE)
    if found != shape:
        raise reader.error(
            f"its shape is {found}; expected {shape}, by the parameters and the "
            "dictionary"
        )


def _read_dense(reader, shape, skipped):
    """The rows of a matrix without those of a range."""
    _check_shape(reader, shape)
    return reader.array(shape, "<f4", skipped)


def _read_quantised(reader, shape, skipped):
    """The rows of a matrix that is product-quantised, without those of a range.

    A row is in parts, of each of which there is the number of its nearest centroid. Its
    length may be quantised by itself.
    """
    has_norms = reader.flag("the norms flag")
    _check_shape(reader, shape)
    n_rows, n_columns = shape
    (n_codes,) = reader.unpack(struct.Struct("<i"))
    if n_codes < 0 or (n_codes % n_rows if n_rows else n_codes):
        raise reader.error(f"{n_codes} codes for {n_rows} rows do not belong together")
    codes = reader.array((n_rows, n_codes // max(1, n_rows)), np.uint8)
    with reader.section("centroids"):
        n_parts = codes.shape[1] if n_rows else None
        part_size, centroids = _read_centroids(reader, n_columns, n_parts)
    norm_codes = norms = None
    if has_norms:
        norm_codes = reader.array((n_rows,), np.uint8)
        with reader.section("norms"):
            norms = _read_centroids(reader, 1, 1)[1][:, 0]
    n_parts = -(-n_columns // part_size)
    if takes_too_much(n_rows, n_parts, n_columns):
        raise reader.error(
            f"its vectors take more than {MOST_TIMES} times the memory of its codes; "
            "quantise it with smaller parts (dsub)"
        )
    vectors = QuantizedVectors(
        codes=codes.reshape(n_rows, n_parts),
        centroids=centroids,
        part_size=part_size,
        norm_codes=norm_codes,
        norms=norms,
    )
    if skipped:
        return vectors[np.r_[: skipped.start, skipped.stop : n_rows]]
    return vectors


def _read_centroids(reader, n_columns, n_parts):
    """The size of parts, and the centroids of so many of them, or of any number."""
    found = reader.unpack(_QUANTIZER)
    size = found[2]
    expected = ()
    if size > 0:
        last = n_columns % size or size
        expected = n_columns, -(-n_columns // size), size, last
    if found != expected or n_parts not in (None, found[1]):
        raise reader.error(
            f"vectors of {found[0]} dimensions in {found[1]} parts of {size}, the last "
            f"of {found[3]}, do not belong to a matrix of {n_columns} columns, with "
            f"{'any number of' if n_parts is None else n_parts} codes in each row"
        )
    numbers = reader.array((n_columns * N_CENTROIDS,), "<f4")
    bounds = np.arange(size, n_columns, size) * N_CENTROIDS
    parts = [part.reshape(N_CENTROIDS, -1) for part in np.split(numbers, bounds)]
    return size, np.hstack(parts)


# Writing


def dense_chunks(n_rows, n_columns, parts):
    """The bytes of a matrix that is not quantised, some rows at a time."""
    yield b"\0" + _SHAPE.pack(n_rows, n_columns)
    for part in parts:
        yield part.astype("<f4", copy=False).tobytes()


def quantised_chunks(vectors):
    """The bytes of a quantised matrix, some at a time."""
    n_rows, n_columns = vectors.shape
    codes, size = vectors.codes, vectors.part_size
    has_norms = vectors.norms is not None
    yield struct.pack("<2?", True, has_norms) + _SHAPE.pack(n_rows, n_columns)
    yield struct.pack("<i", codes.size)
    step = max(1, CHUNK // codes.shape[1])
    for start in range(0, n_rows, step):
        yield codes[start : start + step].tobytes()
    last = n_columns % size or size
    yield _QUANTIZER.pack(n_columns, codes.shape[1], size, last)
    for start in range(0, n_columns, size):
        yield vectors.centroids[:, start : start + size].astype("<f4").tobytes()
    if has_norms:
        yield vectors.norm_codes.tobytes() + _QUANTIZER.pack(1, 1, 1, 1)
        yield vectors.norms.astype("<f4").tobytes()
