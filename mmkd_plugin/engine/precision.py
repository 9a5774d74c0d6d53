"""The precision in which networks are run."""

from __future__ import annotations

import torch

__all__ = ['use_whole_float32']


def use_whole_float32() -> None:
    """Let convolutions of float32 be of float32 on a GPU from now on, in this process.

    By default cuDNN rounds their factors to ten bits (TF32), so that a network answers otherwise than on a CPU, or in a batch
    of another size, by about 1e-3. Mixed precision is asked for by ``AmpOptimWrapper``.
    """
    torch.backends.cudnn.allow_tf32 = False
