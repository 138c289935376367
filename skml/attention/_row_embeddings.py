"""What maps rows to where distances mean something; forward beside backward.

An embedding maps encoded rows x to a point z, where rows are compared, and to u, the
mean under the pooling. Its parameters are a dict of arrays, which training changes in
place. `forward` gives z, u and a tape, from which `backward` gives the gradient of the
parameters.
"""

import numpy as np

from skml._codec import show, stored
from skml.attention._arrays import check_stored

MOST_COLUMNS = 2**31


@stored
class BandwidthEmbedding:
    """Divides each feature by a bandwidth, or all by the same one; u is zero."""

    parameters: dict  # the logarithms of the bandwidths: one a feature, or one for all
    n_features: int
    n_outputs: int  # columns of u

    def check(self):
        """Check that there is one bandwidth for all features, or one for each."""
        size = len(self.parameters["log_bandwidths"])
        check_parameters(self.parameters, {"log_bandwidths": (size,)}, np.float64)
        if size not in (1, self.n_features):
            raise ValueError(f"{size} bandwidths")

    n_parts = 1

    @property
    def n_components(self):
        """The number of columns of z."""
        return self.n_features

    def forward(self, X):
        X = X.toarray()
        z = X * np.exp(-self.parameters["log_bandwidths"])
        return z, np.zeros((len(X), self.n_outputs), dtype=X.dtype), z

    def backward(self, tape, z_gradient, u_gradient):
        gradient = -(z_gradient * tape).sum(axis=0)
        if len(self.parameters["log_bandwidths"]) == 1:
            gradient = gradient.sum(keepdims=True)
        return {"log_bandwidths": gradient}


def make_bandwidths(n_bandwidths, n_features, n_outputs):
    """The embedding that bandwidths are learned from."""
    # Rule of thumb: distances of two random rows are about one bandwidth.
    start = np.full(n_bandwidths, 0.5 * np.log(n_features))
    return BandwidthEmbedding(
        parameters={"log_bandwidths": start},
        n_features=n_features,
        n_outputs=n_outputs,
    )


@stored
class NetworkEmbedding:
    r"""A linear map, with a small network beside it if there are hidden layers.

    .. math:: z = A x + V h, \quad u = C x + D h + b, \quad h = \tanh(W x + c)

    where h may be several layers, one after another, or none. The products with x are
    one product, with the matrices side by side.
    """

    parameters: dict  # the matrices and biases
    n_features: int  # columns of x
    n_components: int  # columns of z
    n_outputs: int  # columns of u
    hidden_layer_sizes: tuple
    has_mean: bool  # else u is zero
    mean_sees_hidden: bool  # else D is zero

    n_parts = 1  # of z, each of n_components columns

    def check(self):
        """Check that the matrices fit together."""
        sizes = [self.n_features, self.n_components, self.n_outputs]
        if not all(type(n) is int and 0 < n < MOST_COLUMNS for n in sizes):
            raise ValueError(f"an embedding of {show(sizes)} columns")
        if not all(type(n) is int and n > 0 for n in self.hidden_layer_sizes):
            raise ValueError(f"hidden_layer_sizes is {show(self.hidden_layer_sizes)}")
        check_parameters(self.parameters, self.shapes(), np.float32)

    def shapes(self):
        """The shapes of the parameters."""
        sizes, n_z = self.hidden_layer_sizes, self.n_columns
        n_first = sum(sizes[:1]) + n_z + self.n_outputs * self.has_mean
        shapes = {"x_weights": (self.n_features, n_first)}
        for layer, size in enumerate(sizes):
            if layer:
                shapes[f"hidden_weights_{layer}"] = (sizes[layer - 1], size)
            shapes[f"bias_{layer}"] = (size,)
        if sizes:
            shapes["z_weights"] = (sizes[-1], n_z)
        if self.has_mean:
            shapes["u_bias"] = (self.n_outputs,)
        if self.mean_sees_hidden:
            shapes["u_weights"] = (sizes[-1], self.n_outputs)
        return shapes

    @property
    def n_columns(self):
        """The number of columns of z that come from x."""
        return self.n_components

    def initialize(self, random_state):
        """Initialise the parameters at random; the mean begins as zero."""
        for name, shape in self.shapes().items():
            if name.startswith("u_"):
                value = np.zeros(shape, np.float32)
            elif name.startswith("bias"):
                value = draw_uniform((self.n_features, *shape), random_state)[0]
            elif name == "vector":
                value = draw_uniform((1, *shape), random_state)[0]
            else:
                value = draw_uniform(shape, random_state)
            self.parameters[name] = value
        n_first = sum(self.hidden_layer_sizes[:1]) + self.n_columns
        self.parameters["x_weights"][:, n_first:] = 0
        return self

    def forward(self, X, dropout=0.0, random_state=None):
        """Embed rows; with a generator, hidden units are dropped, as in training."""
        p = {n: v.astype(X.dtype, copy=False) for n, v in self.parameters.items()}
        n_hidden = sum(self.hidden_layer_sizes[:1])
        ends = [n_hidden, n_hidden + self.n_columns]
        hidden, z, u = np.split(X.dot(p["x_weights"]), ends, axis=1)
        if self.has_mean:
            u = u + p["u_bias"]
        else:
            u = np.zeros((len(X), self.n_outputs), dtype=X.dtype)
        layers, below = [], hidden
        for layer in range(len(self.hidden_layer_sizes)):
            if layer:
                hidden = below @ p[f"hidden_weights_{layer}"]
            activation = np.tanh(hidden + p[f"bias_{layer}"])
            keep = draw_dropout(activation, dropout, random_state)
            below = activation if keep is None else activation * keep
            layers.append((activation, keep, below))
        if layers:
            z = z + below @ p["z_weights"]
        if self.mean_sees_hidden:
            u += below @ p["u_weights"]
        return z, u, (X, layers)

    def backward(self, tape, z_gradient, u_gradient):
        """The gradient of the parameters, from those of z and u."""
        p, gradient, (X, layers) = self.parameters, {}, tape
        gradients = [z_gradient]
        if self.has_mean:
            gradients.append(u_gradient)
            gradient["u_bias"] = u_gradient.sum(axis=0)
        if layers:
            top = layers[-1][2]
            gradient["z_weights"] = top.T @ z_gradient
            back = z_gradient @ p["z_weights"].T
            if self.mean_sees_hidden:
                gradient["u_weights"] = top.T @ u_gradient
                back += u_gradient @ p["u_weights"].T
            gradients.insert(0, self._backward_hidden(layers, back, gradient))
        gradient["x_weights"] = X.transposed_dot(np.hstack(gradients))
        return gradient

    def _backward_hidden(self, layers, back, gradient):
        """Go down the layers; returns the gradient of the first before its bias."""
        for layer in reversed(range(len(layers))):
            activation, keep, _ = layers[layer]
            if keep is not None:
                back *= keep
            back *= 1 - np.square(activation)
            gradient[f"bias_{layer}"] = back.sum(axis=0)
            if layer:
                gradient[f"hidden_weights_{layer}"] = layers[layer - 1][2].T @ back
                back = back @ self.parameters[f"hidden_weights_{layer}"].T
        return back


@stored
class AdditiveEmbedding(NetworkEmbedding):
    """Points of the additive score: a row as a query, as a key, and the vector v.

    The first `n_components` columns are the row as a query, the next as many the row as
    a key; the vector, which is learned, is the same for all rows.
    """

    n_parts = 3

    def shapes(self):
        return super().shapes() | {"vector": (self.n_components,)}

    @property
    def n_columns(self):
        return 2 * self.n_components

    def forward(self, X, dropout=0.0, random_state=None):
        z, u, tape = super().forward(X, dropout, random_state)
        vector = self.parameters["vector"].astype(X.dtype, copy=False)
        return np.hstack([z, np.tile(vector, (len(z), 1))]), u, tape

    def backward(self, tape, z_gradient, u_gradient):
        z_gradient, vector_gradient = np.split(z_gradient, [self.n_columns], axis=1)
        gradient = super().backward(tape, z_gradient, u_gradient)
        return gradient | {"vector": vector_gradient.sum(axis=0)}


def draw_uniform(shape, random_state):
    """Initial weights: smaller the more of them are added up."""
    bound = 1 / np.sqrt(shape[0])
    return random_state.uniform(-bound, bound, size=shape).astype(np.float32)


def draw_dropout(hidden, dropout, random_state):
    """Factors of hidden units, the same for all rows, as a step compares them."""
    if random_state is None or dropout == 0:
        return None
    is_kept = random_state.random(hidden.shape[1], dtype=np.float32) >= dropout
    return is_kept.astype(hidden.dtype) / hidden.dtype.type(1 - dropout)


def check_parameters(parameters, shapes, dtype):
    """Check that parameters have their names and shapes, and are finite."""
    if parameters.keys() != shapes.keys():
        raise ValueError(f"parameters are {show(sorted(parameters))}")
    for name, shape in shapes.items():
        check_stored(name, parameters[name], shape, dtype)
