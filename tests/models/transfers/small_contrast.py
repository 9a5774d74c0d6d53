"""A contrastive transfer with a memory bank of 40 samples, and steps of it."""

from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from mmkd_plugin.models.transfers import ContrastiveTransfer
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


def steps_of_one_process(meeting, rank):
    """Two steps of one process of two: its banks, the banks of both, and the number of steps."""
    limit = timedelta(seconds=120)
    dist.init_process_group('gloo', init_method=Path(meeting).as_uri(), rank=rank, world_size=2, timeout=limit)
    try:
        torch.manual_seed(rank)
        transfer = make_transfer(allocate=False, negatives=5)
        torch.manual_seed(rank)
        transfer.remember(LABELS)
        for batch in ([[0, 31, 5], [39, 7, 33]], [[1, 38, 2], [2, 12, 30]]):  # sample 2 is in both parts of the second
            step(transfer, torch.tensor(batch[rank]))
        bank = transfer.pairs['gaf']
        own = torch.cat([bank.target_memory.flatten(), bank.source_memory.flatten(), bank.z, bank.steps[None].float()])
        both = [torch.empty_like(own) for _ in range(2)]
        dist.all_gather(both, own)
        return own, both, bank.steps.item()
    finally:
        dist.destroy_process_group()
