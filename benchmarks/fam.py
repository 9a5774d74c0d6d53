"""Frequency attention against a plain fft2 module, and the review form's attention against an unfolded one."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
import torch.nn.functional as F
from timing import take_turns
from torch import nn

from mmkd_plugin.models.connectors import FrequencyAttention, LocalCrossAttention

BATCH, CHANNELS = 64, 64


class PlainFrequencyAttention(nn.Module):
    """The published formula by full complex transforms."""

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.filter = nn.Parameter(torch.rand(channels, channels, size, size, dtype=torch.cfloat) / channels**2)
        self.conv = nn.Conv2d(channels, channels, 1)
        self.gamma1, self.gamma2 = (nn.Parameter(torch.tensor(0.5)) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mixed = torch.einsum('nihw,iohw->nohw', torch.fft.fft2(x, norm='ortho'), self.filter)
        mixed = torch.fft.fftshift(mixed, (2, 3))
        centre = x.shape[-1] // 2
        reach = int(0.1 * centre)
        mixed[:, :, centre - reach : centre + reach, centre - reach : centre + reach] = 0
        out = torch.fft.ifft2(torch.fft.ifftshift(mixed, (2, 3)), norm='ortho').real
        return self.gamma1 * out + self.gamma2 * self.conv(x)


def unfolded(attention: LocalCrossAttention, deep: torch.Tensor, shallow: torch.Tensor) -> torch.Tensor:
    """The same local attention with its neighbours unfolded."""
    n, c, h, w = deep.shape
    groups, k = attention.groups, attention.kernel_size
    query = attention.query(deep).view(n, groups, c // groups, 1, h, w)
    key, value = (F.unfold(m(shallow), k, padding=k // 2).view(n, c, k * k, h, w) for m in (attention.key, attention.value))
    position = torch.cat([attention.row_position.expand(-1, k, k), attention.column_position.expand(-1, k, k)])
    key = (key + position.view(1, c, k * k, 1, 1)).view(n, groups, c // groups, k * k, h, w)
    weights = (query * key).sum(2, keepdim=True).softmax(3)
    return (weights * value.view(n, groups, c // groups, k * k, h, w)).sum(3).reshape(n, c, h, w)


def stepper(function, inputs, parameters, upstream):
    def step():
        for tensor in (*inputs, *parameters):
            tensor.grad = None
        function(*inputs).backward(upstream)

    return step


def peak(kind: str, size: int) -> float:
    """MiB that two steps take beyond what the process held before them; for a process of its own."""
    torch.set_num_threads(1)
    shape = (CHANNELS, size, size)
    module = FrequencyAttention(shape, shape) if kind == 'ours' else PlainFrequencyAttention(CHANNELS, size)
    x, upstream = torch.randn(BATCH, *shape, requires_grad=True), torch.randn(BATCH, *shape)
    step = stepper(module, [x], list(module.parameters()), upstream)
    Path('/proc/self/clear_refs').write_text('5')  # the highest so far is forgotten
    before = highest_memory()
    step(), step()
    return highest_memory() - before


def highest_memory() -> float:
    """MiB that this process has held at most (Linux)."""
    (line,) = (line for line in Path('/proc/self/status').read_text().splitlines() if line.startswith('VmHWM:'))
    return int(line.split()[1]) / 2**10


def main(arguments: list[str] | None = None) -> None:
    for size in (8, 16, 32):
        torch.manual_seed(0)
        shape = (CHANNELS, size, size)
        ours, plain = FrequencyAttention(shape, shape), PlainFrequencyAttention(CHANNELS, size)
        x, upstream = torch.randn(BATCH, *shape, requires_grad=True), torch.randn(BATCH, *shape)
        times = take_turns(
            {name: stepper(m, [x], list(m.parameters()), upstream) for name, m in (('plain', plain), ('ours', ours))}
        )
        print(
            f'FrequencyAttention n={size:2}: plain {1000 * times["plain"]:6.1f} ms, ours {1000 * times["ours"]:6.1f} ms, '
            f'x{times["plain"] / times["ours"]:.2f}'
        )
    for size in (8, 16, 32):
        attention = LocalCrossAttention(CHANNELS)
        inputs = [torch.randn(BATCH, CHANNELS, size, size, requires_grad=True) for _ in range(2)]
        upstream, parameters = torch.randn(BATCH, CHANNELS, size, size), list(attention.parameters())
        times = take_turns(
            {
                'plain': stepper(lambda d, s, a=attention: unfolded(a, d, s), inputs, parameters, upstream),
                'ours': stepper(attention, inputs, parameters, upstream),
            },
            repeats=5,
        )
        print(
            f'LocalCrossAttention n={size:2}: unfolded {1000 * times["plain"]:6.1f} ms, ours {1000 * times["ours"]:6.1f} ms, '
            f'x{times["plain"] / times["ours"]:.2f}'
        )
    for size in (8, 16, 32):
        with ProcessPoolExecutor(1, get_context('spawn'), max_tasks_per_child=1) as pool:
            plain, ours = pool.map(peak, ('plain', 'ours'), (size, size))
        print(f'FrequencyAttention n={size:2}: memory of two steps: plain {plain:.0f} MiB, ours {ours:.0f} MiB')


if __name__ == '__main__':
    main()
