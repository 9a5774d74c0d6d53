"""Buffer of samples that are hard for the student."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from mmengine.dist import all_gather
from torch import Tensor, nn

__all__ = ['HardBuffer']


class HardBuffer(nn.Module):
    """The newest training samples that the student has classified wrongly, with what is needed to learn from them again.

    Until the buffer is full, every sample is taken. The state dict holds all that a resumed run needs; with several processes
    every buffer has the samples of all parts of the batch.

    Args:
        size (int): Number of samples.
        shapes (Mapping[str, tuple[int, ...]]): Shape of one sample of each kept value.
    """

    filled: Tensor

    def __init__(self, size: int, shapes: Mapping[str, tuple[int, ...]]) -> None:
        super().__init__()
        self.size, self.kept = size, ('labels', *shapes)
        self.register_buffer(_key('labels'), torch.zeros(size, dtype=torch.long))
        for name, shape in shapes.items():
            self.register_buffer(_key(name), torch.zeros(size, *shape))
        self.register_buffer('filled', torch.zeros((), dtype=torch.long))

    @property
    def full(self) -> bool:
        """Whether there are as many samples as there is room for."""
        return int(self.filled) == self.size

    def put(self, values: Mapping[str, Tensor], hard: Tensor, usable: Tensor | None = None) -> None:
        """Take samples in; the oldest leave a full buffer.

        Args:
            values (Mapping[str, Tensor]): ``labels`` ``(N, )``, and ``(N, ...)`` by the names of the shapes; others stay out.
            hard (Tensor): Whether the student classifies a sample wrongly, ``(N, )``.
            usable (Tensor, optional): Whether a sample may be taken at all, ``(N, )``.
        """
        wanted = hard if self.full else torch.ones_like(hard)
        taken = torch.cat(all_gather((wanted if usable is None else wanted & usable).contiguous()))
        old = int(self.filled)
        for name in self.kept:
            new = torch.cat(all_gather(values[name].detach().contiguous()))
            memory = getattr(self, _key(name))
            rows = torch.cat([memory[:old], new[taken].to(memory.dtype)])[-self.size :]
            memory[: len(rows)] = rows
        self.filled.fill_(min(self.size, old + int(taken.sum())))

    def read(self) -> dict[str, Tensor]:
        """Return all values by name, ``(size, ...)``."""
        return {name: getattr(self, _key(name)) for name in self.kept}


def _key(name: str) -> str:
    return f'value_{name.replace(".", "/")}'  # the name of a buffer may have no dot
