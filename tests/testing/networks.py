"""More layers of NumPy and their usual mistakes: those that only several gradients together show.

As in `layers.py`, a mistake is a replacement in the source of a backward pass.
"""

from __future__ import annotations

import numpy as np

from tests.testing.layers import softmax


def rms_norm(x, gamma):
    scale = 1 / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6)
    return x * scale * gamma, (x, scale, gamma)


def rms_norm_backward(dout, cache):
    x, scale, gamma = cache
    dnormal = dout * gamma
    dx = scale * dnormal - x * scale**3 * (dnormal * x).mean(axis=-1, keepdims=True)
    return dx, (dout * x * scale).sum(axis=0)


def normalize(x):
    norm = np.sqrt((x**2).sum(axis=1, keepdims=True))
    return x / norm, (x, norm)


def normalize_backward(dout, cache):
    x, norm = cache
    return dout / norm - x * (x * dout).sum(axis=1, keepdims=True) / norm**3


def group_norm(x):
    """Images (N, C, H, W) with two groups of channels."""
    groups = x.reshape(len(x), 2, -1)
    centered = groups - groups.mean(axis=2, keepdims=True)
    scale = 1 / np.sqrt((centered**2).mean(axis=2, keepdims=True) + 1e-5)
    return (centered * scale).reshape(x.shape), (centered * scale, scale)


def group_norm_backward(dout, cache):
    normal, scale = cache
    d = dout.reshape(normal.shape)
    dx = d - d.mean(axis=2, keepdims=True)
    dx = dx - normal * (dx * normal).mean(axis=2, keepdims=True)
    return (scale * dx).reshape(dout.shape)


def heads(x, Wq, Wk, Wv, Wo):
    """Attention of two heads over a sequence (T, D)."""

    def split(a):
        return a.reshape(len(x), 2, -1).transpose(1, 0, 2)

    q, k, v = split(x @ Wq), split(x @ Wk), split(x @ Wv)
    weights = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2]))
    joined = (weights @ v).transpose(1, 0, 2).reshape(x.shape)
    return joined @ Wo, (x, Wq, Wk, Wv, Wo, q, k, v, weights, joined)


def heads_backward(dout, cache):
    x, Wq, Wk, Wv, Wo, q, k, v, weights, joined = cache

    def merge(a):
        return a.transpose(1, 0, 2).reshape(x.shape)

    d = (dout @ Wo.T).reshape(len(x), 2, -1).transpose(1, 0, 2)
    dweights = d @ v.transpose(0, 2, 1)
    dscores = weights * (dweights - (dweights * weights).sum(axis=2, keepdims=True))
    dscores = dscores / np.sqrt(q.shape[2])
    dq, dk = merge(dscores @ k), merge(dscores.transpose(0, 2, 1) @ q)
    dv = merge(weights.transpose(0, 2, 1) @ d)
    dx = dq @ Wq.T
    dx += dk @ Wk.T
    dx += dv @ Wv.T
    return dx, x.T @ dq, x.T @ dk, x.T @ dv, joined.T @ dout


def strided(x, w):
    """Sequences (N, C, L), kernels (F, C, 3) with a border of one zero and steps of two."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
    windows = [padded[:, :, i : i + 3] for i in range(0, padded.shape[2] - 2, 2)]
    out = [np.einsum("nck,fck->nf", window, w) for window in windows]
    return np.stack(out, axis=2), (padded, w)


def strided_backward(dout, cache):
    padded, w = cache
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(dout.shape[2]):
        window = slice(2 * i, 2 * i + 3)
        dw += np.einsum("nf,nck->fck", dout[:, :, i], padded[:, :, window])
        dpadded[:, :, window] += np.einsum("nf,fck->nck", dout[:, :, i], w)
    return dpadded[:, :, 1:-1], dw


def recurrent(x, Wx, Wh, b):
    """The last state after a sequence (T, N, D)."""
    states = [np.zeros((x.shape[1], len(Wh)), x.dtype)]
    for now in x:
        states.append(np.tanh(now @ Wx + states[-1] @ Wh + b))
    return states[-1], (x, Wx, Wh, states)


def recurrent_backward(dout, cache):
    x, Wx, Wh, states = cache
    dx, dWx, dWh, db = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), 0.0
    for t in reversed(range(len(x))):
        da = dout * (1 - states[t + 1] ** 2)
        dx[t] = da @ Wx.T
        dWx += x[t].T @ da
        dWh += states[t].T @ da
        db = db + da.sum(axis=0)
        dout = da @ Wh.T
    return dx, dWx, dWh, db


def gated(x, W, V, out):
    """SwiGLU."""
    a, b = x @ W, x @ V
    sigmoid = 1 / (1 + np.exp(-a))
    return (a * sigmoid * b) @ out, (x, W, V, out, a, b, sigmoid)


def gated_backward(dout, cache):
    x, W, V, out, a, b, sigmoid = cache
    dh = dout @ out.T
    da = dh * b * (sigmoid + a * sigmoid * (1 - sigmoid))
    db = dh * a * sigmoid
    dx = da @ W.T
    dx += db @ V.T
    return dx, x.T @ da, x.T @ db, (a * sigmoid * b).T @ dout


def dense(x, W, b):
    z = x @ W + b
    return np.maximum(z, 0), (x, W, z)


def dense_backward(dout, cache):
    x, W, z = cache
    dz = dout * (z > 0)
    return dz @ W.T, x.T @ dz, dz.sum(axis=0)


def penalised(x, W, V):
    """The mean square of a network's outputs, with a penalty on its weights."""
    hidden = np.tanh(x @ W)
    out = hidden @ V
    return (out**2).mean() + 0.1 * (W**2).sum(), (x, W, V, hidden, out)


def penalised_backward(dout, cache):
    x, W, V, hidden, out = cache
    d = 2 * dout * out / out.size
    da = (d @ V.T) * (1 - hidden**2)
    return da @ W.T, x.T @ da + 0.2 * dout * W, hidden.T @ d


def pooled(x):
    blocks = x.reshape(len(x), x.shape[1], -1, 2)
    return blocks.max(axis=3), (x, blocks.max(axis=3))


def pooled_backward(dout, cache):
    x, largest = cache
    return np.repeat(dout, 2, axis=2) * (x == np.repeat(largest, 2, axis=2))


def dropout(x, mask):
    return x * mask / 0.8, mask


def dropout_backward(dout, mask):
    return dout * mask / 0.8, None


def focal(z, labels):
    p = 1 / (1 + np.exp(-z))
    p, weight = np.where(labels, p, 1 - p), np.where(labels, 0.25, 0.75)
    return -(weight * (1 - p) ** 2 * np.log(p)).mean(), (p, weight, labels)


def focal_backward(dout, cache):
    p, weight, labels = cache
    slope = weight * (2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p)
    return dout * slope * np.where(labels, 1, -1) * p * (1 - p) / len(p)


def gru(x, h, Wz, Wr, Wn, Uz, Ur, Un):
    """A gated unit for one step."""
    z, r = 1 / (1 + np.exp(-x @ Wz - h @ Uz)), 1 / (1 + np.exp(-x @ Wr - h @ Ur))
    u = h @ Un
    n = np.tanh(x @ Wn + r * u)
    return (1 - z) * n + z * h, (x, h, Wz, Wr, Wn, Uz, Ur, Un, z, r, u, n)


def gru_backward(dout, cache):
    x, h, Wz, Wr, Wn, Uz, Ur, Un, z, r, u, n = cache
    dz, dn = dout * (h - n) * z * (1 - z), dout * (1 - z) * (1 - n**2)
    dr, du = dn * u * r * (1 - r), dn * r
    dx = dz @ Wz.T + dr @ Wr.T + dn @ Wn.T
    dh = dout * z + dz @ Uz.T + dr @ Ur.T + du @ Un.T
    return dx, dh, x.T @ dz, x.T @ dr, x.T @ dn, h.T @ dz, h.T @ dr, h.T @ du


def hidden(x, W1, b1, W2, b2):
    z = x @ W1 + b1
    h = np.tanh(z)
    return h @ W2 + b2, (x, W1, W2, z, h)


def hidden_backward(dout, cache):
    x, W1, W2, z, h = cache
    dh = dout @ W2.T
    dz = dh * (1 - np.tanh(z) ** 2)
    return dz @ W1.T, x.T @ dz, dz.sum(axis=0), h.T @ dout, dout.sum(axis=0)


def shared(E, W, words):
    """A model of words whose last matrix is the table of the first layer."""
    h = np.tanh(E[words] @ W)
    return h @ E.T, (E, W, words, h)


def shared_backward(dout, cache):
    E, W, words, h = cache
    dz = (dout @ E) * (1 - h**2)
    dE = dout.T @ h
    np.add.at(dE, words, dz @ W.T)
    return dE, E[words].T @ dz


def bilinear(x, y, W):
    return np.einsum("ni,nj,kij->nk", x, y, W), (x, y, W)


def bilinear_backward(dout, cache):
    x, y, W = cache
    dx, dy = (
        np.einsum(f"nk,n{i},kij->n{j}", dout, a, W) for i, j, a in (("j", "i", y), ("i", "j", x))
    )
    return dx, dy, np.einsum("nk,ni,nj->kij", dout, x, y)


def log_sum(x):
    shifted = np.exp(x - x.real.max(axis=1, keepdims=True))
    return np.log(shifted.sum(axis=1)) + x.real.max(axis=1), shifted


def log_sum_backward(dout, shifted):
    return dout[:, None] * shifted / shifted.sum(axis=1, keepdims=True)


rng = np.random.default_rng(1)
N = rng.standard_normal
LAYERS = {
    rms_norm: (N((4, 6)), N(6)),
    normalize: (N((4, 3)),),
    group_norm: (N((2, 4, 3, 3)),),
    heads: (N((5, 4)), *N((4, 4, 4))),
    strided: (N((2, 3, 8)), N((4, 3, 3))),
    recurrent: (N((4, 3, 2)), N((2, 5)), N((5, 5)), N(5)),
    gru: (N((3, 2)), N((3, 4)), *N((3, 2, 4)), *N((3, 4, 4))),
    hidden: (N((6, 4)), N((4, 5)), N(5), N((5, 3)), N(3)),
    shared: (N((6, 4)), N((4, 4)), np.array([1, 3, 3, 0])),
    bilinear: (N((4, 3)), N((4, 3)), N((2, 3, 3))),
    log_sum: (N((3, 4)),),
    gated: (N((4, 3)), N((3, 5)), N((3, 5)), N((5, 3))),
    dense: (N((5, 4)), N((4, 3)), N(3)),
    penalised: (N((6, 3)), N((3, 4)), N((4, 2))),
    pooled: (N((2, 3, 8)),),
    dropout: (N((4, 5)), rng.integers(0, 2, (4, 5))),
    focal: (N(9), np.array([1, 0, 1, 1, 0, 0, 1, 0, 1])),
}

CARRIED = "the last: is the gradient carried back from each step to the one before?"
MISTAKES = [
    (rms_norm, "- x * scale**3 * (dnormal * x).mean(axis=-1, keepdims=True)", "", "a multiple of the variable along axis 1: is the path through the norm"),
    (rms_norm, ".mean(axis=-1", ".sum(axis=-1", "a multiple of the variable along axis 1: is the path through the norm"),
    (rms_norm, "(dout * x", "(dnormal * x", "dgamma: the factor gamma is too many"),
    (normalize, "norm**3", "norm**2", "a multiple of the variable along axis 1: is the path through the norm"),
    (normalize, "- x *", "+ x *", "a multiple of the variable along axis 1: is the path through the norm"),
    (group_norm, "(scale * dx)", "dx", "a multiple of the derivative: is a factor wrong"),
    (heads, "dx += dk @ Wk.T", "", "dx: the path through Wk is missing: is it = where += is needed?"),
    (heads, "dx += dv", "dx = dv", "dx: the path through Wq, Wk is missing: is it = where += is needed?"),
    (heads, "dx += dv @ Wv.T", "dx += 2 * dv @ Wv.T", "dx: the path through Wv is there twice"),
    (heads, "dout @ Wo.T", "dout @ Wo", "dWq: it is the gradient with the last two axes of Wo swapped"),
    (heads, "- (dweights * weights).sum(axis=2, keepdims=True)", "", "it fits dWq, dWk: is the gradient of x @ Wq, x @ Wk wrong"),
    (strided, "1:-1], dw", ":-2], dw", "dx: it is shifted by one along axis 2: is an offset wrong?"),
    (strided, "window] += ", "window] = ", "dx: only the last of several contributions"),
    (strided, ", w)", ", w[:, ::-1, ::-1])", "dx: it is the gradient with the last two axes of w reversed"),
    (recurrent, "dWx += ", "dWx = ", "dWx: only the contribution of index 0 of axis 0 of x is there"),
    (recurrent, "db = db + ", "db = ", "db: only the contribution of index 0 of axis 0 of x is there"),
    (recurrent, "db = db + ", "db = db + (t > 0) * ", "db: the contribution of index 0 of axis 0 of x is missing"),
    (recurrent, "da @ Wh.T", "da @ Wh", CARRIED),
    (recurrent, "1 - states[t + 1] ** 2", "1 - states[t + 1]", "dx: it fits dWx: is the gradient of x @ Wx wrong, from which both are computed?"),
    (gated, "dx += db", "dx = db", "dx: the path through W is missing"),
    (gated, "db = dh * a * sigmoid", "db = dh * sigmoid", "dx: the gradient of x @ V, from which it is computed, is wrong"),
    (gru, "dh = dout * z + ", "dh = ", "dh: only the path through Uz, Ur, Un is there"),
    (gru, " + du @ Un.T", "", "dh: the path through Un is missing"),
    (gru, "+ dr @ Ur.T", "- dr @ Ur.T", "dh: the path through Ur has the wrong sign"),
    (gru, "du @ Un.T", "dn @ Un.T", "dh: it is computed from the gradient of x @ Wn"),
    (gru, "h.T @ du", "h.T @ dn", "dUn: it is computed from the gradient of x @ Wn"),
    (gru, "h.T @ du", "h.T @ (du * z)", "dUn: the gradient of h @ Un is wrong, and h is right, by which it is multiplied"),
    (gru, "dn * r", "dn", "dUn: it is computed from the gradient of x @ Wn"),
    (hidden, "np.tanh(z) ** 2", "np.tanh(z)", "dW1: in the gradient of x @ W1 + b1: it fits tanh with the derivative 1 - tanh(x) in place"),
    (hidden, "x.T @ dz", "x.T @ dh", "dW1: in the gradient of x @ W1 + b1: the derivative of tanh is missing"),
    (hidden, "dz @ W1.T", "dh @ W1.T", "dx: in the gradient of x @ W1 + b1: the derivative of tanh is missing"),
    (hidden, "dz.sum(axis=0)", "dh.sum(axis=0)", "db1: in the gradient of x @ W1 + b1: the derivative of tanh is missing"),
    (hidden, "h.T @ dout", "z.T @ dout", "dW2: x @ W1 + b1 is multiplied where another array is needed, such as what is computed from it"),
    (hidden, "h.T @ dout", "(h * (h > 0)).T @ dout", "dW2: in what is multiplied by W2: where it is wrong, it is 0"),
    (hidden, "h.T @ dout", "(h * z).T @ dout", "dW2: what is multiplied by W2 is wrong, and the gradient of the product is right"),
    (shared, "dE = dout.T @ h", "dE = np.zeros_like(E)", "dE: only the rows that words names are there: is another path missing?"),
    (shared, "np.add.at(dE, words, dz @ W.T)", "", "dE: only the rows that words names are wrong: is the path of the look-up right?"),
    (bilinear, "dout, x, y)", "dout, x, x)", "dW: it is the gradient with x in the place of y: are they mixed up?"),
    (log_sum, "(axis=1, keepdims=True)", "(axis=0, keepdims=True)", "it is the derivative times a factor of each row and one of each column: is a sum over the wrong axis?"),
    (gated, "a * sigmoid * (1 - sigmoid)", "0", "dx: in the gradient of x @ W: it fits silu with the derivative sigmoid(x) in place of"),
    (dense, "dout * (z > 0)", "dout", "in the gradient of x @ W + b: where it is wrong, the derivative is 0: is a mask or a condition forgotten?"),
    (dense, "dz.sum(axis=0)", "dz.sum(axis=0) / len(x)", "db: it is divided by 5 once too often: the size of axis 0 of x, the batch size?"),
    (penalised, "1 - hidden**2", "1 - hidden", "dx: it fits dW: is the gradient of x @ W wrong"),
    (penalised, "(d @ V.T) * (1 - hidden**2)", "d @ V.T", "dx: it fits dW: is the gradient of x @ W wrong"),
    (penalised, " + 0.2 * dout * W", "", "dW: it is off by a multiple of the variable"),
    (penalised, " / out.size", "", "dx: a division by 12 is missing"),
    (pooled, " * (x == np.repeat(largest, 2, axis=2))", "", "where it is wrong, the derivative is 0: is a mask"),
    (dropout, "dout * mask", "dout", "dx: the factor mask is missing"),
    (dropout, " / 0.8", "", "it is 0.8 times the derivative in every entry: a constant factor"),
    (focal, "np.where(labels, 1, -1) * ", "", "where it is wrong, the sign is wrong"),
    (focal, "slope = weight * ", "slope = ", "where it is wrong, it is 1.333 or 4 times the derivative"),
]  # fmt: skip
