"""Joints of a skeleton, seen from the body itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from numpy.typing import NDArray

from mmkd_plugin.registry import TRANSFORMS

__all__ = ['NormalizeSkeleton']

AXES = ('x', 'y', 'z')
LEAST = 1e-6  # of the largest distance of a joint from the root: a shorter bone is no length


@TRANSFORMS.register_module()
class NormalizeSkeleton(BaseTransform):
    """Joints relative to a root joint, in lengths of a bone: where somebody stands, and how tall they are, is of no account.

    In every frame the root's position is subtracted from that of each joint. The window is divided by the median over its
    frames of the distance between two joints, so that bones keep their course within the window.

    Args:
        root (str): Joint that becomes the origin, for example 'hip_center'. Its own channels become 0.
        scale (Sequence[str]): Two joints whose distance becomes 1, for example ``('hip_center', 'shoulder_center')``.
        prefix (str): What the names of channels begin with, before joint and axis: ``skeleton_head_x``.

    Raises:
        ValueError: Scale is not two different joints.
    """

    def __init__(self, root: str, scale: Sequence[str], prefix: str = 'skeleton_') -> None:
        if isinstance(scale, str) or len(scale) != 2 or scale[0] == scale[1]:
            raise ValueError(f'scale must be two different joints, got {scale!r}')
        self.root, self.scale, self.prefix = root, tuple(scale), prefix
        self._known: tuple[tuple[str, ...], NDArray, list[int]] | None = None

    def transform(self, results: dict) -> dict:
        """Normalise ``signal`` ``(C, T)``, three channels for each joint.

        Raises:
            ValueError: The channels are no joints in three axes, or the named joints are not among them, or lie on one another.
        """
        indices, named = self._joints(tuple(results['channels']))
        joints = results['signal'][indices].astype(np.float64)  # (J, 3, T)
        root, start, end = (joints[joint] for joint in named)
        length = float(np.median(np.linalg.norm(end - start, axis=0)))
        centred = joints - root
        if not length > LEAST * np.abs(centred).max():
            raise ValueError(f'{self.scale[0]} and {self.scale[1]} lie on one another: their distance is no length')
        signal = np.empty_like(results['signal'], dtype=np.float32)
        signal[indices] = centred / length
        return {**results, 'signal': signal}

    def _joints(self, channels: tuple[str, ...]) -> tuple[NDArray, list[int]]:
        """Return the channels of each joint, ``(J, 3)``, and the places of root and scale among the joints."""
        if self._known is not None and self._known[0] == channels:
            return self._known[1:]
        names = {name: index for index, name in enumerate(channels)}
        joints = list(dict.fromkeys(name[len(self.prefix) : -2] for name in channels if name.startswith(self.prefix)))
        expected = [f'{self.prefix}{joint}_{axis}' for joint in joints for axis in AXES]
        if not joints or sorted(expected) != sorted(channels):
            odd = next((name for name in (*channels, *expected) if name not in expected or name not in names), '')
            raise ValueError(f"channels must be joints in three axes, as '{self.prefix}head_x'; it does not hold for {odd!r}")
        unknown = [joint for joint in (self.root, *self.scale) if joint not in joints]
        if unknown:
            raise ValueError(f'there is no joint {unknown[0]!r}; there are {", ".join(joints)}')
        indices = np.array([names[name] for name in expected]).reshape(-1, 3)
        self._known = (channels, indices, [joints.index(joint) for joint in (self.root, *self.scale)])
        return self._known[1:]
