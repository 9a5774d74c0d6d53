"""The same work where an accelerator does it: views of tensors that lie there, frequency attention, and training steps.

Whatever is timed ends with a synchronisation, so that the work itself is in it. Views are also held against the processor's.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from fam import BATCH, CHANNELS, PlainFrequencyAttention, stepper, unfolded
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from steps import CONFIGS
from steps import stepper as train_stepper
from timing import take_turns

from mmkd_plugin.apis import load_config
from mmkd_plugin.models.connectors import FrequencyAttention, LocalCrossAttention
from mmkd_plugin.models.encoders import (
    Encoder,
    GramianAngularField,
    MarkovTransitionField,
    PersistenceImage,
    RecurrencePlot,
    Scalogram,
    Spectrogram,
)

SIZE = 64
METHODS = ('supervised/student', 'kd', 'aver_kd', 'fam_kd', 'fam_review_kd', 'combo')


def synchronized(run: Callable[[], object], times: int = 1) -> Callable[[], None]:
    def runs() -> None:
        for _ in range(times):
            run()
        torch.cuda.synchronize()

    return runs


def views() -> None:
    """Microseconds per series, for a batch of the size that runs have and for one that fills the device."""
    kinds: dict[str, tuple[int, Encoder]] = {
        'Gramian field': (128, GramianAngularField(SIZE)),
        'persistence image, T = 128, sigma 2': (128, persistence(2.0)),
        'persistence image, T = 100, sigma 1/2': (100, persistence(0.5)),
        'persistence image, T = 500, sigma 2': (500, persistence(2.0)),
        'Markov field': (128, MarkovTransitionField(SIZE)),
        'recurrence plot': (SIZE, RecurrencePlot()),
        "recurrence plot, threshold='point'": (SIZE, RecurrencePlot(threshold='point')),
        'spectrogram': (128, Spectrogram(62, 4)),
        'scalogram': (128, Scalogram()),
    }
    print(f'{"us per series":38} {"dtype":8} {"64 x 6":>8} {"1024 x 6":>9}   farthest from the processor, of at most')
    for name, (length, view) in kinds.items():
        steps = torch.randn(1024, 6, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        walks = steps.cumsum(2) if name.startswith('persistence') else steps
        for dtype in (torch.float32, torch.float64):
            signal = ((walks - walks.mean(2, keepdim=True)) / walks.std(2, keepdim=True)).to(dtype)
            many = signal.cuda()
            image = view(signal[:64])
            difference = (image - view(many[:64]).cpu()).abs().max()
            runs = dict(few=partial(view, many[:64]), many=partial(view, many))
            times = take_turns({size: synchronized(run, 5) for size, run in runs.items()}, 5)
            few, all_ = (1e6 * times[size] / 5 / 6 / n for size, n in (('few', 64), ('many', 1024)))
            print(
                f'{name:38} {str(dtype)[6:]:8} {few:8.2f} {all_:9.2f}   {difference:.0e}, {image.abs().max():.2g}', flush=True
            )


def persistence(sigma: float) -> PersistenceImage:
    return PersistenceImage(SIZE, (-4, 4), (0, 8), sigma * 8 / SIZE, normalize=False)


def attention() -> None:
    """Forward and backward of a batch, and the memory that two steps take."""
    for size in (8, 16, 32):
        torch.manual_seed(0)
        shape = (CHANNELS, size, size)
        x, upstream = (torch.randn(BATCH, *shape, device='cuda') for _ in range(2))
        x.requires_grad_()
        modules = dict(plain=PlainFrequencyAttention(CHANNELS, size).cuda(), ours=FrequencyAttention(shape, shape).cuda())
        memory = {name: peak(stepper(m, [x], list(m.parameters()), upstream)) for name, m in modules.items()}
        report(
            f'FrequencyAttention n={size}',
            {name: stepper(m, [x], list(m.parameters()), upstream) for name, m in modules.items()},
            f'memory {memory["plain"]:.0f} / {memory["ours"]:.0f} MiB',
        )
    for size in (8, 16, 32):
        module = LocalCrossAttention(CHANNELS).cuda()
        inputs = [torch.randn(BATCH, CHANNELS, size, size, device='cuda', requires_grad=True) for _ in range(2)]
        upstream = torch.randn(BATCH, CHANNELS, size, size, device='cuda')
        plain = stepper(lambda d, s, a=module: unfolded(a, d, s), inputs, list(module.parameters()), upstream)
        ours = stepper(module, inputs, list(module.parameters()), upstream)
        report(f'LocalCrossAttention n={size}', dict(plain=plain, ours=ours), '')


def peak(step: Callable[[], object]) -> float:
    """MiB that two steps take beyond what lies on the device before them."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    step(), step()
    return (torch.cuda.max_memory_allocated() - before) / 2**20


def report(name: str, candidates: dict[str, Callable[[], object]], note: str) -> None:
    times = take_turns({kind: synchronized(run, 10) for kind, run in candidates.items()}, 7)
    plain, ours = (100 * times[kind] for kind in ('plain', 'ours'))  # ten steps of which are timed
    print(f'{name:26} plain {plain:7.2f} ms, ours {ours:7.2f} ms, x{plain / ours:.2f}   {note}', flush=True)


def training() -> None:
    """A training step of some methods, teachers run in every step."""
    init_default_scope('mmkd_plugin')
    hub = MessageHub.get_instance('gpu')  # halfway through a run every transfer is on
    hub.update_info('iter', 50)
    hub.update_info('max_iters', 100)
    for name in METHODS:
        _, step = train_stepper(load_config(CONFIGS / f'{name}.py'), 'cuda')
        times = take_turns({'step': synchronized(step)}, 9)
        print(f'{name:20} {1000 * times["step"]:7.1f} ms per step', flush=True)


def main(arguments: list[str] | None = None) -> None:
    if not torch.cuda.is_available():
        print('no GPU that torch can use: nothing is timed')
        return
    print(f'{torch.cuda.get_device_name()}, torch {torch.__version__}, CUDA {torch.version.cuda}')
    views()
    attention()
    training()


if __name__ == '__main__':
    main()
