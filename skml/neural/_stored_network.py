"""A fitted network as a value: its architecture is data, its weights are arrays."""

from skml._optional import import_optional

UNKNOWN_TO_NUMPY = {"bfloat16": "int16"}  # kept as integers of the same bits


class StoredNetwork:
    """A fitted network that folders and pickles hold as data; nothing changes it.

    A subclass is registered with `skml._codec.register`. It makes the module, with
    random weights, from the architecture, which is data: ``make(architecture)``; and
    ``check(architecture, weights)`` raises a ValueError if that could take more memory
    than the weights do. The module is in evaluation mode, on any device.
    """

    _extra = "neural"  # what brings the packages

    def __init__(self, architecture, module):
        self.architecture = architecture
        self.module = module

    @classmethod
    def rebuild(cls, architecture, weights):
        """A network with these weights, which are copied; no random state changes."""
        from skml.neural._torch._device import preserve_rng_state

        with preserve_rng_state():
            module = cls.make(architecture)
        module.load_state_dict(weights)
        return cls(architecture, module.eval())

    def to_data(self):
        weights, dtypes = to_arrays(self.module)
        return {
            "architecture": self.architecture,
            "weights": weights,
            "dtypes": dtypes,
        }

    @classmethod
    def from_data(cls, data):
        """A network from data of unknown origin."""
        import_optional("torch", extra=cls._extra, caller="A fitted network")
        architecture = data["architecture"]
        weights = to_tensors(data["weights"], data["dtypes"])
        if type(architecture) is not dict:
            raise ValueError(f"the architecture is a {type(architecture).__name__}")
        cls.check(architecture, weights)
        cls._check_weights(architecture, weights)
        return cls.rebuild(architecture, weights)

    @classmethod
    def _check_weights(cls, architecture, weights):
        """Compare names, shapes and dtypes, before memory is taken."""
        import torch

        from skml.neural._torch._device import preserve_rng_state

        try:
            with preserve_rng_state(), torch.device("meta"):
                expected = _describe(cls.make(architecture).state_dict())
        except (TypeError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(f"the architecture is wrong: {reason:.200}") from None
        found = _describe(weights)
        if wrong := sorted(expected.items() ^ found.items(), key=str):
            name = wrong[0][0]
            raise ValueError(
                f"the weights {name:.60} are {found.get(name)}; expected "
                f"{expected.get(name)}"
            )

    def __getstate__(self):
        return self.to_data()

    def __setstate__(self, data):
        import_optional("torch", extra=self._extra, caller="A fitted network")
        weights = to_tensors(data["weights"], data["dtypes"])
        vars(self).update(vars(self.rebuild(data["architecture"], weights)))


def _describe(weights):
    return {name: (tuple(w.shape), w.dtype) for name, w in weights.items()}


def to_arrays(module):
    """The weights of a module as arrays, and the dtypes that NumPy does not know."""
    import torch

    arrays, dtypes, seen = {}, {}, {}
    for name, tensor in module.state_dict().items():
        # Weights that have two names are one array.
        key = tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype
        tensor = tensor.detach().cpu().contiguous()
        dtype = str(tensor.dtype).removeprefix("torch.")
        if dtype in UNKNOWN_TO_NUMPY:
            dtypes[name] = dtype
            tensor = tensor.view(getattr(torch, UNKNOWN_TO_NUMPY[dtype]))
        arrays[name] = seen.setdefault(key, tensor.numpy())
    return arrays, dtypes


def to_tensors(arrays, dtypes):
    """The weights again; those of a memory map, which nobody may write, copied."""
    import numpy as np
    import torch

    tensors = {}
    for name, array in arrays.items():
        tensor = torch.from_numpy(np.require(array, requirements="W"))
        if name in dtypes:
            if dtypes[name] not in UNKNOWN_TO_NUMPY:
                raise ValueError(f"the weights {name:.60} are {dtypes[name]!r:.60}")
            tensor = tensor.view(getattr(torch, dtypes[name]))
        tensors[name] = tensor
    return tensors
