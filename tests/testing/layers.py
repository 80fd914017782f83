"""Layers of NumPy with backward passes written by hand, as in courses, and the usual mistakes.

A mistake is a replacement in the source of a backward pass: what is written, what is written by
mistake, and the words that the report must say.
"""

from __future__ import annotations

import inspect

import numpy as np


def layer_norm(x, gamma, beta):
    centered = x - x.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt((centered**2).mean(axis=1, keepdims=True) + 1e-5)
    normal = centered * scale
    return gamma * normal + beta, (normal, scale, gamma)


def layer_norm_backward(dout, cache):
    normal, scale, gamma = cache
    dnormal = dout * gamma
    dx = dnormal - dnormal.mean(axis=1, keepdims=True)
    dx -= normal * (dnormal * normal).mean(axis=1, keepdims=True)
    return scale * dx, (dout * normal).sum(axis=0), dout.sum(axis=0)


def batch_norm(x, gamma, beta):
    centered = x - x.mean(axis=0)
    variance = (centered**2).mean(axis=0)
    normal = centered / np.sqrt(variance + 1e-5)
    return gamma * normal + beta, (centered, variance, normal, gamma)


def batch_norm_backward(dout, cache):
    centered, variance, normal, gamma = cache
    n = len(dout)
    dnormal = dout * gamma
    dvariance = (dnormal * centered * -0.5 * (variance + 1e-5) ** -1.5).sum(axis=0)
    dmean = (-dnormal / np.sqrt(variance + 1e-5)).sum(axis=0)
    dx = dnormal / np.sqrt(variance + 1e-5) + dvariance * 2 * centered / n + dmean / n
    return dx, (dout * normal).sum(axis=0), dout.sum(axis=0)


def softmax(scores):
    e = np.exp(scores - scores.real.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def attention(x, Wq, Wk, Wv):
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    weights = softmax(q @ k.T / np.sqrt(k.shape[1]))
    return weights @ v, (x, Wq, Wk, Wv, q, k, v, weights)


def attention_backward(dout, cache):
    x, Wq, Wk, Wv, q, k, v, weights = cache
    dv = weights.T @ dout
    dweights = dout @ v.T
    dscores = weights * (dweights - (dweights * weights).sum(axis=1, keepdims=True))
    dscores = dscores / np.sqrt(k.shape[1])
    dq = dscores @ k
    dk = dscores.T @ q
    dx = dq @ Wq.T
    dx += dk @ Wk.T
    dx += dv @ Wv.T
    return dx, x.T @ dq, x.T @ dk, x.T @ dv


def convolution(x, w, b):
    """Images (N, C, H, W), kernels (F, C, 3, 3) with a border of zeros."""
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(x), len(w), *x.shape[2:]), padded.dtype)
    for i in range(x.shape[2]):
        for j in range(x.shape[3]):
            window = padded[:, :, i : i + 3, j : j + 3]
            out[:, :, i, j] = np.einsum("nchw,fchw->nf", window, w) + b
    return out, (padded, w)


def convolution_backward(dout, cache):
    padded, w = cache
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            window = padded[:, :, i : i + 3, j : j + 3]
            dw += np.einsum("nf,nchw->fchw", dout[:, :, i, j], window)
            dpadded[:, :, i : i + 3, j : j + 3] += np.einsum("nf,fchw->nchw", dout[:, :, i, j], w)
    return dpadded[:, :, 1:-1, 1:-1], dw, dout.sum(axis=(0, 2, 3))


def lstm(x, h0, Wx, Wh, b):
    """Sequences (N, T, D); all hidden states (N, T, H)."""
    h, c, steps, hidden = h0, np.zeros_like(h0), [], []
    for t in range(x.shape[1]):
        i, f, o, g = np.split(x[:, t] @ Wx + h @ Wh + b, 4, axis=1)
        i, f, o, g = 1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), 1 / (1 + np.exp(-o)), np.tanh(g)
        before, c_before = h, c
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((before, c_before, i, f, o, g, np.tanh(c)))
        hidden.append(h)
    return np.stack(hidden, axis=1), (x, Wx, Wh, steps)


def lstm_backward(dout, cache):
    x, Wx, Wh, steps = cache
    dx, dWx, dWh, db = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), 0
    dh, dc = np.zeros_like(dout[:, 0]), np.zeros_like(dout[:, 0])
    for t in reversed(range(x.shape[1])):
        before, c_before, i, f, o, g, tanh_c = steps[t]
        dh = dh + dout[:, t]
        dc = dc + dh * o * (1 - tanh_c**2)
        di, df, do, dg = dc * g, dc * c_before, dh * tanh_c, dc * i
        da = np.hstack([di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)])
        dx[:, t] = da @ Wx.T
        dWx += x[:, t].T @ da
        dWh += before.T @ da
        db = db + da.sum(axis=0)
        dh = da @ Wh.T
        dc = dc * f
    return dx, dh, dWx, dWh, db


def cross_entropy(scores, labels):
    p = softmax(scores)
    rows = np.arange(len(labels))
    return -np.log(p[rows, labels]).mean(), (p, rows, labels)


def cross_entropy_backward(dout, cache):
    p, rows, labels = cache
    dscores = p.copy()
    dscores[rows, labels] -= 1
    return dout * dscores / len(labels)


def embedding(table, words):
    return table[words], (table.shape, words)


def embedding_backward(dout, cache):
    shape, words = cache
    dtable = np.zeros(shape)
    np.add.at(dtable, words, dout)
    return dtable


def residual(x, W, b):
    hidden = np.maximum(x @ W + b, 0)
    return x + hidden, (x, W, hidden)


def residual_backward(dout, cache):
    x, W, hidden = cache
    dhidden = dout * (hidden > 0)
    return dout + dhidden @ W.T, x.T @ dhidden, dhidden.sum(axis=0)


rng = np.random.default_rng(0)
LAYERS = {
    layer_norm: (rng.normal(size=(4, 5)), rng.normal(size=5), rng.normal(size=5)),
    batch_norm: (rng.normal(size=(6, 3)), rng.normal(size=3), rng.normal(size=3)),
    attention: (rng.normal(size=(4, 5)), *rng.normal(size=(3, 5, 5))),
    convolution: (
        rng.normal(size=(2, 3, 4, 4)), rng.normal(size=(2, 3, 3, 3)), rng.normal(size=2)
    ),
    lstm: (
        rng.normal(size=(3, 4, 2)), rng.normal(size=(3, 5)), rng.normal(size=(2, 20)),
        rng.normal(size=(5, 20)), rng.normal(size=20),
    ),
    cross_entropy: (rng.normal(size=(5, 4)), np.array([0, 3, 1, 1, 2])),
    embedding: (rng.normal(size=(6, 3)), np.array([1, 4, 1, 0, 4])),
    residual: (rng.normal(size=(4, 5)), rng.normal(size=(5, 5)), rng.normal(size=5)),
}  # fmt: skip

# By layer: what is written, what is written by mistake, what the report says.
MISTAKES = [
    (layer_norm, "- dnormal.mean(axis=1, keepdims=True)", "", "dx: the path through the mean over axis 1 is missing or wrong"),
    (layer_norm, "dx -= normal", "dx += normal", "dx[0, "),
    (layer_norm, "mean(axis=1", "mean(axis=0", "20 of 20 entries of dx are wrong"),
    (layer_norm, "return scale * dx", "return dx", "20 of 20 entries of dx are wrong"),
    (layer_norm, "(dout * normal).sum(axis=0)", "dout * normal", "dgamma: it is not summed over axis 0"),
    (layer_norm, "(dout * normal).sum", "(dout * normal / scale).sum", "dgamma: it is the sum of dout * (x - its mean): is a division by its deviation missing?"),
    (layer_norm, "dout.sum(axis=0)", "dout.mean(axis=0)", "dbeta: it is divided by 4 once too often: the size of axis 0 of x, the batch size?"),
    (layer_norm, "dnormal = dout * gamma", "dnormal = dout", "20 of 20 entries of dx are wrong"),
    (batch_norm, "2 * centered / n", "2 * centered", "dx["),
    (batch_norm, "-0.5", "0.5", "dx["),
    (batch_norm, "** -1.5", "** -0.5", "dx["),
    (batch_norm, "+ dmean / n", "", "dx: the path through the mean over axis 0 is missing or wrong"),
    (batch_norm, "dout.sum(axis=0)", "dout[-1]", "dbeta: only the last of several contributions"),
    (batch_norm, "dx, (dout * normal)", "dx, gamma * (dout * normal)", "dgamma: the factor gamma is too many"),
    (attention, "dx, x.T @ dq, x.T @ dk", "dx, x.T @ dk, x.T @ dq", "dWq: it is the gradient of Wk: are the two swapped?"),
    (attention, "dx += dv @ Wv.T", "dx = dv @ Wv.T", "20 of 20 entries of dx are wrong"),
    (attention, "dscores = dscores / np.sqrt(k.shape[1])", "", "dWk: it is 2.23607 times the derivative"),
    (attention, "dscores.T @ q", "dscores @ q", "25 of 25 entries of dWk are wrong"),
    (attention, "- (dweights * weights).sum(axis=1, keepdims=True)", "", "dWq["),
    (attention, "x.T @ dv", "dv.T @ x", "dWv: it is transposed"),
    (convolution, "dw += ", "dw = ", "dw: only the last of several contributions is there, over axis 2 and 3"),
    (convolution, "j : j + 3] += np", "j : j + 3] = np", "dx: only the last of several contributions is there"),
    (convolution, "1:-1, 1:-1]", ":-2, :-2]", "dx["),
    (convolution, "return dpadded[:, :, 1:-1, 1:-1], dw", "return dpadded[:, :, 1:-1, 1:-1], dw[..., ::-1, ::-1]", "dw: both last axes are reversed"),
    (convolution, "axis=(0, 2, 3)", "axis=0", "db has the shape (2, 4, 4), but it should have (2,)"),
    (convolution, "dout.sum(axis=(0, 2, 3))", "dout.mean(axis=(0, 2, 3))", "db: it is divided by 32 once too often: the number of outputs over which it is a sum"),
    (lstm, "dWx += ", "dWx = ", "40 of 40 entries of dWx are wrong"),
    (lstm, "dh = dh + dout[:, t]", "dh = dout[:, t]", "dWh["),
    (lstm, "dc = dc * f", "dc = 0 * dc", "dx: only index 3 of axis 1 is right, the last"),
    (lstm, "(1 - g**2)", "(1 - g)", "dWx["),
    (lstm, "do * o * (1 - o)", "do * (1 - o)", "dx["),
    (lstm, "db = db + da.sum(axis=0)", "db = da.sum(axis=0)", "20 of 20 entries of db are wrong"),
    (lstm, "return dx, dh, dWx", "dWx[:, 5:10] *= -1; return dx, dh, dWx", "dWx: only columns 5 to 9 are wrong"),
    (lstm, "return dx, dh", "return dx, 0 * dh", "dh0: zeros where there should be numbers"),
    (cross_entropy, " / len(labels)", "", "dscores: a division by 5 is missing: the size of axis 0 of scores, the batch size?"),
    (cross_entropy, "-= 1", "+= 1", "5 of 20 entries of dscores are wrong"),
    (cross_entropy, "dscores[rows, labels] -= 1", "dscores[:, labels] -= 1", "dscores["),
    (cross_entropy, "[rows, labels] -=", "[rows, labels - 1] -=", "dscores: 0.1805 is added at some entries and lacks at others: is an index wrong?"),
    (cross_entropy, "return dout * ", "return -dout * ", "dscores: the sign is wrong"),
    (cross_entropy, "return dout * ", "return ", "dscores does not depend on dout"),
    (embedding, "np.add.at(dtable, words, dout)", "dtable[words] = dout", "dtable: only the last of several contributions"),
    (embedding, "np.add.at(dtable, words, dout)", "dtable[words] += dout", "dtable: only the last of several contributions"),
    (residual, "return dout + dhidden", "return dhidden", "dx: the gradient of the output itself is missing"),
    (residual, "return dout + ", "return dout - ", "dx: the path through W has the wrong sign"),
    (residual, "(hidden > 0)", "1", "dx: in the gradient of x @ W + b: where it is wrong, the derivative is 0: is a mask"),
    (residual, "return dout + ", "return 2 * dout + ", "dx: the gradient of the output is added once too often"),
    (residual, "@ W.T", "@ W", "dx["),
    (residual, "(hidden > 0)", "(x > 0)", "dx["),
    (residual, "return dout +", "dhidden[:, 2] = 0; return dout +", "only column 2 is wrong"),
]  # fmt: skip


def backward(layer):
    return layer.__globals__[f"{layer.__name__}_backward"]


def mistaken(layer, written, mistake):
    """The backward pass of a layer with a mistake."""
    source = inspect.getsource(backward(layer))
    assert written in source, written
    names = dict(layer.__globals__)
    exec(source.replace(written, mistake), names)
    return names[f"{layer.__name__}_backward"]
