"""What maps rows to where distances mean something; forward beside backward.

An embedding maps encoded rows x to a point z, where rows are compared, and to u, the
mean under the pooling. Its parameters are a dict of arrays. `forward` gives z, u and a
tape, from which `backward` gives the gradient of the parameters.
"""

import numpy as np


class WidthEmbedding:
    """Divides each feature by a width, or all by the same one; u is zero.

    Parameters
    ----------
    n_widths : int
        The number of features, or 1.
    n_features : int
        The number of features.
    n_outputs : int
        The number of columns of u.
    """

    def __init__(self, n_widths, n_features, n_outputs):
        # Rule of thumb: distances of two random rows are about one width.
        self.parameters = {"log_widths": np.full(n_widths, 0.5 * np.log(n_features))}
        self.n_components = n_features
        self.n_outputs = n_outputs

    def forward(self, X):
        X = X.toarray()
        z = X * np.exp(-self.parameters["log_widths"])
        return z, np.zeros((len(X), self.n_outputs), dtype=X.dtype), z

    def backward(self, tape, z_gradient, u_gradient):
        by_feature = -(z_gradient * tape).sum(axis=0)
        n_widths = len(self.parameters["log_widths"])
        return {
            "log_widths": by_feature if n_widths > 1 else by_feature.sum(keepdims=True)
        }


class NetworkEmbedding:
    r"""A linear map, with a small network beside it if there are hidden layers.

    .. math:: z = A x + V h, \quad u = C x + D h + b, \quad h = \tanh(W x + c)

    where h may be several layers, one after another, or none. The products with x are
    one product, with the matrices side by side.

    Parameters
    ----------
    n_features, n_components, n_outputs : int
        The number of columns of x, z and u.
    hidden_layer_sizes : tuple of int
        The sizes of the layers.
    has_mean : bool
        Whether u is learned; else it is zero.
    mean_sees_hidden : bool
        Whether u depends on h, too; else D is zero.
    dropout : float
        The share of hidden values that a step of training does not see.
    random_state : RandomState
        Draws the parameters.
    n_constants : int, default=0
        How many more components z has, which are learned and the same for all rows.
    """

    def __init__(
        self,
        n_features,
        n_components,
        n_outputs,
        *,
        hidden_layer_sizes,
        has_mean,
        mean_sees_hidden,
        dropout,
        random_state,
        n_constants=0,
    ):
        self.sizes = tuple(hidden_layer_sizes)
        self.n_components = n_components
        self.n_outputs = n_outputs
        self.has_mean = has_mean
        self.mean_sees_hidden = has_mean and mean_sees_hidden and len(self.sizes) > 0
        self.dropout = dropout
        self.n_constants = n_constants
        self.parameters = self._draw(n_features, random_state)

    def _draw(self, n_features, random_state):
        def draw(n_in, n_out):
            bound = 1 / np.sqrt(n_in)
            values = random_state.uniform(-bound, bound, size=(n_in, n_out))
            return values.astype(np.float32)

        n_first = sum(self.sizes[:1]) + self.n_components
        of_x = draw(n_features, n_first + self.n_outputs * self.has_mean)
        of_x[:, n_first:] = 0  # the mean begins as zero
        parameters = {"of_x": of_x}
        for layer, size in enumerate(self.sizes):
            if layer:
                parameters[f"hidden_{layer}"] = draw(self.sizes[layer - 1], size)
            parameters[f"bias_{layer}"] = draw(n_features, size)[0]
        if self.sizes:
            parameters["z_of_h"] = draw(self.sizes[-1], self.n_components)
        if self.n_constants:
            parameters["constants"] = draw(1, self.n_constants)[0]
        if self.has_mean:
            parameters["u_bias"] = np.zeros(self.n_outputs, np.float32)
        if self.mean_sees_hidden:
            parameters["u_of_h"] = np.zeros(
                (self.sizes[-1], self.n_outputs), np.float32
            )
        return parameters

    def _split(self, of_x):
        """Columns of what x is multiplied with: hidden values, z and u."""
        n_hidden = sum(self.sizes[:1])
        ends = [n_hidden, n_hidden + self.n_components]
        return np.split(of_x, ends, axis=1)

    def forward(self, X, random_state=None):
        """Embed rows; with a generator, some hidden values drop out, as in training."""
        p = {
            n: value.astype(X.dtype, copy=False) for n, value in self.parameters.items()
        }
        hidden, z, u = self._split(X.dot(p["of_x"]))
        if not self.has_mean:
            u = np.zeros((len(X), self.n_outputs), dtype=X.dtype)
        else:
            u = u + p["u_bias"]
        layers, below = [], hidden
        for layer in range(len(self.sizes)):
            if layer:
                hidden = below @ p[f"hidden_{layer}"]
            activation = np.tanh(hidden + p[f"bias_{layer}"])
            keep = self._draw_kept(activation, random_state)
            below = activation if keep is None else activation * keep
            layers.append((activation, keep, below))
        if self.sizes:
            z = z + below @ p["z_of_h"]
        if self.mean_sees_hidden:
            u += below @ p["u_of_h"]
        if self.n_constants:
            z = np.hstack([z, np.tile(p["constants"], (len(z), 1))])
        return z, u, (X, layers)

    def backward(self, tape, z_gradient, u_gradient):
        """The gradient of the parameters, from those of z and u."""
        p, gradient, (X, layers) = self.parameters, {}, tape
        if self.n_constants:
            gradient["constants"] = z_gradient[:, self.n_components :].sum(axis=0)
            z_gradient = z_gradient[:, : self.n_components]
        of_x = [z_gradient]
        if self.has_mean:
            of_x.append(u_gradient)
            gradient["u_bias"] = u_gradient.sum(axis=0)
        if self.sizes:
            top = layers[-1][2]
            gradient["z_of_h"] = top.T @ z_gradient
            back = z_gradient @ p["z_of_h"].T
            if self.mean_sees_hidden:
                gradient["u_of_h"] = top.T @ u_gradient
                back += u_gradient @ p["u_of_h"].T
            of_x.insert(0, self._backward_hidden(layers, back, gradient))
        gradient["of_x"] = X.transposed_dot(np.hstack(of_x))
        return gradient

    def _backward_hidden(self, layers, back, gradient):
        """Go down the layers; returns the gradient of the first before its bias."""
        for layer in reversed(range(len(self.sizes))):
            activation, keep, _ = layers[layer]
            if keep is not None:
                back *= keep
            back *= 1 - np.square(activation)
            gradient[f"bias_{layer}"] = back.sum(axis=0)
            if layer:
                gradient[f"hidden_{layer}"] = layers[layer - 1][2].T @ back
                back = back @ self.parameters[f"hidden_{layer}"].T
        return back

    def _draw_kept(self, hidden, random_state):
        """Which hidden units a step has: the same for all rows, as it compares them."""
        if random_state is None or self.dropout == 0:
            return None
        kept = random_state.random(hidden.shape[1], dtype=np.float32) >= self.dropout
        return kept.astype(hidden.dtype) / hidden.dtype.type(1 - self.dropout)
