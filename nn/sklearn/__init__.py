"""Multilayer perceptrons as estimators of scikit-learn, for its pipelines, searches and scores.

The parameters have the names and the defaults of `sklearn.neural_network`. Needs scikit-learn.

>>> from sklearn.datasets import load_iris
>>> from sklearn.pipeline import make_pipeline
>>> from sklearn.preprocessing import StandardScaler
>>> X, y = load_iris(return_X_y=True)
>>> network = MLPClassifier((16,), learning_rate_init=0.01, tol=1e-3, random_state=0)
>>> make_pipeline(StandardScaler(), network).fit(X, y).score(X, y) > 0.95
True
"""

from __future__ import annotations

try:
    from nn.sklearn.classifier import MLPClassifier
    from nn.sklearn.regressor import MLPRegressor
except ImportError as error:
    raise ImportError(
        f"nn.sklearn needs scikit-learn: pip install scikit-learn ({error})"
    ) from error

__all__ = ["MLPClassifier", "MLPRegressor"]
