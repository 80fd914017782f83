"""Devices of JAX that share each batch: the samples are divided, the parameters are on all of them.

The devices may belong to several processes, each of which makes the same calls with the same
arrays; see `jax.distributed.initialize`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

_AXIS = "samples"
_sharing: ContextVar[Devices | None] = ContextVar("_sharing", default=None)


class Devices:
    """Some devices of JAX, in an order.

    Args:
        devices: how many of `jax.devices()` to take, or a sequence of devices.

    Raises:
        ValueError: if JAX has fewer devices, or if one is given twice.
        TypeError: if `devices` is something else.

    >>> Devices(1).count
    1
    """

    def __init__(self, devices: int | Sequence[Any]) -> None:
        self.devices = tuple(_chosen(devices))
        self.count = len(self.devices)
        self.mesh = Mesh(np.array(self.devices), (_AXIS,))
        self.replicated = NamedSharding(self.mesh, PartitionSpec())

    def check(self, length: int, what: str) -> None:
        """Raise ValueError if a number of samples cannot be divided among the devices.

        Args:
            length: the number of samples.
            what: what has that many samples, for the error message.
        """
        if length % self.count:
            raise ValueError(
                f"{what} has {length} samples, which cannot be divided evenly among "
                f"{self.count} devices: use a multiple of {self.count}"
            )

    def divided(self, array: Any, axis: int) -> Any:
        """Return an array of NumPy with the samples along one axis divided among the devices."""
        spec = PartitionSpec(*[None] * axis, _AXIS)
        return self._put(array, NamedSharding(self.mesh, spec))

    def copied(self, array: Any) -> Any:
        """Return a NumPy array as an array with a copy on each device."""
        return self._put(array, self.replicated)

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Divide the batches of NumPy arrays that programs run on within this context.

        >>> from micrograd import compile
        >>> square = compile(lambda x: x * x, batched=True, backend="jax")
        >>> with Devices(1).shared():
        ...     square(np.array([1.0, 2.0])).tolist()
        [1.0, 4.0]
        """
        token = _sharing.set(self)
        try:
            yield
        finally:
            _sharing.reset(token)

    def _put(self, array: Any, sharding: Any) -> Any:
        # Each process puts the parts for its own devices there.
        return jax.make_array_from_callback(array.shape, sharding, array.__getitem__)


def _chosen(devices: int | Sequence[Any]) -> Sequence[Any]:
    if isinstance(devices, int) and not isinstance(devices, bool):
        known: Sequence[Any] = jax.devices()
        if not 1 <= devices <= len(known):
            raise ValueError(
                f"devices={devices}, but JAX has {len(known)} here; on a processor, set "
                f"XLA_FLAGS=--xla_force_host_platform_device_count={max(devices, 2)} in the "
                "environment before JAX starts"
            )
        return known[:devices]
    if not isinstance(devices, Sequence) or not all(isinstance(d, jax.Device) for d in devices):
        raise TypeError(
            f"devices is a number of devices or a list of devices of JAX, got {devices!r}"
        )
    if not devices or len(set(devices)) < len(devices):
        raise ValueError("devices is a list of different devices of JAX, at least one")
    return devices


def sharing() -> Devices | None:
    """Return the devices of the context, or None outside of one."""
    return _sharing.get()
