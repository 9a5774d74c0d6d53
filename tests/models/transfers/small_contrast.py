"""A contrastive transfer with a memory bank of 40 samples, and steps of it."""

from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from mmkd_plugin.models.distillers import HardBuffer
from mmkd_plugin.models.transfers import ContrastiveTransfer
from mmkd_plugin.models.weightings import MinimumNorm
from mmkd_plugin.structures import Taps

# Of 40 samples 30 are of one class and 2 of another.
LABELS = torch.tensor([0] * 30 + [1] * 8 + [2] * 2)


def networks(index, dtype=torch.float32):
    generator = torch.Generator().manual_seed(5)
    vectors = torch.randn(len(LABELS), 30, generator=generator, dtype=dtype)
    taps = {}
    for name, part in {'student': vectors[index, :10], 'gaf': vectors[index, 10:16], 'pi': vectors[index, 16:]}.items():
        part = part.clone().requires_grad_(name == 'student')
        taps[name] = Taps((part[..., None],), part, part[:, :3])
    return taps


def make_transfer(source='gaf.embedding', allocate=True, dtype=torch.float32, **options):
    torch.manual_seed(0)
    transfer = ContrastiveTransfer(source=source, target='student.embedding', dim=8, **options)
    transfer.bind(networks(torch.arange(2)))
    transfer.to(dtype)
    if allocate:
        transfer.remember(LABELS)
        for bank in transfer.pairs.values():
            bank.to(dtype)
    return transfer


def step(transfer, index):
    taps = networks(index, next(transfer.parameters()).dtype)
    value = transfer(taps, LABELS[index], 1.0, index)
    value.backward()
    return value, taps['student'].embedding.grad


def weights_and_hard_samples(gradients, labels, hard, variant='paper'):
    """Weights of two teachers by their gradients, and the labels in a buffer of four, after one batch or a part of one."""
    weights = MinimumNorm(['a', 'b'], 1.0, variant)(gradients, labels)
    buffer = HardBuffer(4, {})
    buffer.put({'labels': labels[:2]}, hard[:2])
    buffer.put({'labels': labels}, hard)
    return weights[:, 0], buffer.read()['labels']


def gradients_of_batch(part=slice(None)):
    generator = torch.Generator().manual_seed(6)
    gradients = [scale * torch.randn(6, 3, generator=generator) for scale in (1, 2)]
    return [g[part] for g in gradients], torch.arange(6)[part], torch.tensor([True, False] * 3)[part]


FIRST = [[0, 31, 5], [39, 7, 33]]  # samples of two processes in their first step


def normalisers_alone(index):
    """What the banks of process 0 are divided by after one batch, if there is no other process."""
    transfer = make_transfer(allocate=False, negatives=5)
    torch.manual_seed(0)
    transfer.remember(LABELS)
    step(transfer, torch.tensor(index))
    return transfer.pairs['gaf'].z


def steps_of_one_process(meeting, rank):
    """Two steps of one process of two: its banks, the banks of both, the number of steps, and weights and hard samples."""
    limit = timedelta(seconds=120)
    dist.init_process_group('gloo', init_method=Path(meeting).as_uri(), rank=rank, world_size=2, timeout=limit)
    try:
        torch.manual_seed(rank)
        transfer = make_transfer(allocate=False, negatives=5)
        torch.manual_seed(rank)
        transfer.remember(LABELS)
        for batch in (FIRST, [[1, 38, 2], [2, 12, 30]]):  # sample 2 is in both parts of the second
            step(transfer, torch.tensor(batch[rank]))
        bank = transfer.pairs['gaf']
        own = torch.cat([bank.target_memory.flatten(), bank.source_memory.flatten(), bank.z, bank.steps[None].float()])
        both = [torch.empty_like(own) for _ in range(2)]
        dist.all_gather(both, own)
        part = gradients_of_batch(slice(3 * rank, 3 * rank + 3))
        return own, both, bank.steps.item(), [weights_and_hard_samples(*part, v) for v in ('paper', 'reference')]
    finally:
        dist.destroy_process_group()
