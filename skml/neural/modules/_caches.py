"""What attention keeps of the positions that it has seen, for decoding."""

import torch
from torch import Tensor


class KeyValueCache:
    """Projected keys and values of one attention layer.

    Where no gradient is asked for, there is room for more positions than there are,
    twice as many whenever it runs out: so a position is copied a few times at most,
    however long the sequence grows.

    Parameters
    ----------
    keys : Tensor of shape (n_sequences, n_heads, n_keys, head_size), default=None
        The first keys; None begins without any.
    values : Tensor of shape (n_sequences, n_heads, n_keys, head_size), default=None
        The first values; None begins without any.
    is_fixed : bool, default=False
        Whether no more are appended, as for the memory of an encoder.

    Raises
    ------
    ValueError
        If there are keys without values, or of another shape.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import KeyValueCache
    >>> cache = KeyValueCache()
    >>> len(cache)
    0
    >>> keys, values = cache.append(torch.rand(2, 4, 1, 8), torch.rand(2, 4, 1, 8))
    >>> keys, values = cache.append(torch.rand(2, 4, 3, 8), torch.rand(2, 4, 3, 8))
    >>> keys.shape
    torch.Size([2, 4, 4, 8])
    """

    def __init__(
        self,
        keys: Tensor | None = None,
        values: Tensor | None = None,
        is_fixed: bool = False,
    ):
        if keys is not None or values is not None:
            _check_pair(keys, values)
        self._keys, self._values = keys, values
        self._length = 0 if keys is None else keys.shape[2]
        self.is_fixed = is_fixed

    def __len__(self):
        return self._length

    @property
    def keys(self):
        """Keys of shape (n_sequences, n_heads, n_keys, head_size); None if empty."""
        return None if self._keys is None else self._keys[:, :, : self._length]

    @property
    def values(self):
        """Values of the shape of the keys; None if empty."""
        return None if self._values is None else self._values[:, :, : self._length]

    def append(self, keys: Tensor, values: Tensor):
        """Add positions at the end.

        Parameters
        ----------
        keys : Tensor of shape (n_sequences, n_heads, n_new, head_size)
            The keys of the new positions.
        values : Tensor of shape (n_sequences, n_heads, n_new, head_size)
            The values of the new positions.

        Returns
        -------
        keys : Tensor of shape (n_sequences, n_heads, n_keys, head_size)
            All keys so far.
        values : Tensor of shape (n_sequences, n_heads, n_keys, head_size)
            All values so far.

        Raises
        ------
        ValueError
            If shapes do not fit, or the cache is fixed.
        """
        if self.is_fixed:
            raise ValueError("This cache is fixed; nothing can be appended to it.")
        _check_pair(keys, values)
        if self._keys is not None:
            expected, found = list(self._keys.shape), list(keys.shape)
            expected[2] = found[2] = "n_new"
            if expected != found:
                raise ValueError(
                    f"New keys have the shape {tuple(keys.shape)}, and those in the "
                    f"cache {tuple(self.keys.shape)}; only the third may differ."
                )
        self._keys = _extend(self._keys, self._length, keys)
        self._values = _extend(self._values, self._length, values)
        self._length += keys.shape[2]
        return self.keys, self.values

    def reorder(self, index: Tensor):
        """Replace the sequences by others of them, as beam search does.

        Parameters
        ----------
        index : Tensor of int of shape (n_new_sequences,)
            Which sequence stands at each place from now on. One may stand at many
            places, or at none.
        """
        if self._keys is not None:
            self._keys = self._keys.index_select(0, index)
            self._values = self._values.index_select(0, index)


class TransformerCache:
    """What a Transformer decoder keeps between calls.

    :meth:`TransformerDecoder.new_cache` makes it.

    Parameters
    ----------
    layers : list of tuple of two KeyValueCache
        For each layer that of its own positions, and the fixed one of the memory.
    memory_mask : Tensor of bool of shape (n_sequences, n_memory), default=None
        Which positions of the memory may be seen. None means all.

    Examples
    --------
    >>> import torch
    >>> from skml.neural.modules import TransformerDecoder
    >>> decoder = TransformerDecoder(2, 8, n_heads=2, feed_forward_size=16)
    >>> cache = decoder.new_cache(memory=torch.rand(2, 5, 8))
    >>> features = decoder(torch.rand(2, 1, 8), cache=cache)
    >>> len(cache)
    1

    Three hypotheses, two of which continue the first sequence:

    >>> cache.reorder(torch.tensor([0, 0, 1]))
    >>> decoder(torch.rand(3, 1, 8), cache=cache).shape
    torch.Size([3, 1, 8])
    """

    def __init__(
        self,
        layers: list[tuple[KeyValueCache, KeyValueCache]],
        memory_mask: Tensor | None = None,
    ):
        self.layers = layers
        self.memory_mask = memory_mask

    def __len__(self):
        return len(self.layers[0][0])

    def reorder(self, index: Tensor, *, with_memory: bool = True):
        """Replace the sequences by others of them, as beam search does.

        Parameters
        ----------
        index : Tensor of int of shape (n_new_sequences,)
            Which sequence stands at each place from now on. One may stand at many
            places, or at none.
        with_memory : bool, default=True
            Whether the memory is reordered, too. Leave it out, and save the copy, where
            hypotheses only change places with others of the same memory.
        """
        for own, memory in self.layers:
            own.reorder(index)
            if with_memory:
                memory.reorder(index)
        if with_memory and self.memory_mask is not None:
            self.memory_mask = self.memory_mask.index_select(0, index)


def _check_pair(keys, values):
    shapes = [None if x is None else tuple(x.shape) for x in (keys, values)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 4:
        raise ValueError(
            f"keys have the shape {shapes[0]} and values {shapes[1]}; expected "
            "(n_sequences, n_heads, n_keys, head_size) for both."
        )


def _extend(buffer, length, new):
    """A buffer in which the new positions follow the first `length`."""
    end = length + new.shape[2]
    if torch.is_grad_enabled():
        # The gradient needs the older tensors as they were.
        return new if buffer is None else torch.cat([buffer[:, :, :length], new], dim=2)
    if buffer is None or end > buffer.shape[2]:
        n_sequences, n_heads, _, head_size = new.shape
        larger = new.new_empty(n_sequences, n_heads, max(16, 2 * end), head_size)
        if buffer is not None:
            larger[:, :, :length] = buffer[:, :, :length]
        buffer = larger
    buffer[:, :, length:end] = new
    return buffer
