import copy
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from forks import start_program
from small_contrast import (
    FIRST,
    LABELS,
    gradients_of_batch,
    make_transfer,
    networks,
    normalisers_alone,
    step,
    steps_of_one_process,
    weights_and_hard_samples,
)

from mmkd_plugin.models.transfers import BatchContrastTransfer, ContrastiveTransfer


def test_a_step_worked_out_in_loops():
    transfer, index = make_transfer(dtype=torch.float64), torch.tensor([3, 31, 39])
    memory = copy.deepcopy(transfer.pairs['gaf'])
    value, _ = step(transfer, index)
    result = networks(index, torch.float64)
    v_s = F.normalize(memory.embed_target(result['student'].embedding), dim=1)
    v_t = F.normalize(memory.embed_source(result['gaf'].embedding), dim=1)
    total, n = 0.0, len(LABELS)
    for side, bank in ((v_s, memory.source_memory), (v_t, memory.target_memory)):
        compared = [
            math.exp(side[row] @ bank[j] / 0.07)
            for row, own in enumerate(index)
            for j in range(n)
            if j == own or LABELS[j] != LABELS[own]
        ]
        z = sum(compared) / len(compared) * n
        for row, own in enumerate(index):
            others = [j for j in range(n) if LABELS[j] != LABELS[own]]
            noise = len(others) / n
            p = [math.exp(side[row] @ bank[j] / 0.07) / z for j in range(n)]
            total -= math.log(p[own] / (p[own] + noise)) + sum(math.log(noise / (p[j] + noise)) for j in others)
    assert value.item() == pytest.approx(total / 3, rel=1e-9)
    for bank, old, new in (
        (transfer.pairs['gaf'].target_memory, memory.target_memory, v_s),
        (transfer.pairs['gaf'].source_memory, memory.source_memory, v_t),
    ):
        moved = F.normalize(0.5 * old[index] + 0.5 * new, dim=1)
        torch.testing.assert_close(bank[index], moved)
        rest = [i for i in range(n) if i not in index.tolist()]
        torch.testing.assert_close(bank[rest], old[rest])


def test_the_normaliser_is_that_of_the_first_batch():
    transfer = make_transfer()
    step(transfer, torch.tensor([0, 31]))
    first = transfer.pairs['gaf'].z.clone()
    assert (first > 0).all()
    step(transfer, torch.tensor([5, 6, 38]))
    assert torch.equal(transfer.pairs['gaf'].z, first)


@pytest.mark.parametrize('index', [[0, 1, 2], [30, 38, 39], [39], list(range(40))])
@pytest.mark.parametrize('negatives', [1, 7, 16384])
def test_imbalanced_classes_and_small_batches_hold(index, negatives):
    transfer = make_transfer(negatives=negatives)
    for _ in range(2):
        value, gradient = step(transfer, torch.tensor(index))
        assert torch.isfinite(value)
        assert torch.isfinite(gradient).all()
        assert gradient.abs().sum() > 0


def test_negatives_are_of_other_classes_without_repetition_and_no_more_than_there_are():
    for negatives in (4, 12, 60, 100):
        memory = make_transfer(negatives=negatives).pairs['gaf']
        labels = torch.tensor([0, 1, 2, 0])
        chosen = memory._negatives(labels)
        assert not (chosen & (LABELS[None] == labels[:, None])).any()
        assert chosen.sum(1).tolist() == [min(negatives, (label != LABELS).sum().item()) for label in labels]
    memory = make_transfer(negatives=12).pairs['gaf']
    labels = torch.zeros(4000, dtype=torch.long)
    labels[:] = 1
    often = memory._negatives(labels).float().mean(0)[LABELS != 1]
    torch.testing.assert_close(often, torch.full_like(often, 12 / 32), atol=0.04, rtol=0)


def test_another_step_draws_others_and_the_same_step_the_same():
    memory = make_transfer(negatives=5).pairs['gaf']
    first = memory._negatives(LABELS[:9])
    assert torch.equal(first, memory._negatives(LABELS[:9]))
    memory.steps += 1
    assert not torch.equal(first, memory._negatives(LABELS[:9]))


def test_a_resumed_run_is_the_run_that_was_left_alone():
    batches = [torch.randperm(40, generator=torch.Generator().manual_seed(i))[:12] for i in range(6)]
    alone = make_transfer(negatives=5)
    values = [step(alone, index)[0] for index in batches]
    before = make_transfer(negatives=5)
    for index in batches[:3]:
        step(before, index)
    state = copy.deepcopy(before.state_dict())
    torch.manual_seed(99)
    after = ContrastiveTransfer(source='gaf.embedding', target='student.embedding', dim=8, negatives=5)
    after.bind(networks(torch.arange(2)))
    after.remember(LABELS)
    after.load_state_dict(state)
    resumed = [step(after, index)[0] for index in batches[3:]]
    assert [v.item() for v in resumed] == [v.item() for v in values[3:]]
    assert torch.equal(after.pairs['gaf'].target_memory, alone.pairs['gaf'].target_memory)


def test_each_teacher_has_banks_of_its_own_and_of_the_stated_size():
    transfer = make_transfer(source=['gaf.embedding', 'pi.embedding'])
    step(transfer, torch.tensor([0, 31, 39]))
    assert set(transfer.pairs) == {'gaf', 'pi'}
    for memory in transfer.pairs.values():
        held = sum(b.numel() * b.element_size() for b in (memory.target_memory, memory.source_memory))
        assert held == 2 * 4 * len(LABELS) * 8
    assert not torch.equal(transfer.pairs['gaf'].source_memory, transfer.pairs['pi'].source_memory)


def test_two_classes_are_enough():
    transfer = make_transfer(allocate=False)
    transfer.remember(LABELS % 2)
    index = torch.tensor([0, 31, 39])
    assert transfer(networks(index), LABELS[index] % 2, 1.0, index) > 0


def test_a_memory_bank_stays_in_eval_mode():
    transfer = make_transfer().eval()
    before = transfer.pairs['gaf'].target_memory.clone()
    step(transfer, torch.tensor([0, 31]))
    assert torch.equal(before, transfer.pairs['gaf'].target_memory)


def test_normalisers_of_the_first_batch_stay_however_small_they_are():
    transfer = make_transfer()
    bank = transfer.pairs['gaf']
    bank.z.copy_(torch.tensor([0.5, 1e-3]))
    step(transfer, torch.tensor([0, 31, 39]))
    assert bank.z.tolist() == pytest.approx([0.5, 1e-3])


def test_two_processes_keep_the_same_memory_banks_weights_and_hard_samples(tmp_path):
    """This process is one of them, so that a single one has to be started."""
    program = 'import sys; from small_contrast import steps_of_one_process; steps_of_one_process(sys.argv[1], rank=1)'
    end = start_program(program, tmp_path / 'meeting', cwd=Path(__file__).parent)
    try:
        own, both, steps, weighed = steps_of_one_process(tmp_path / 'meeting', rank=0)
    finally:
        other = end()
    assert other.returncode == 0, other.stderr[-3000:]
    assert torch.equal(*both)
    assert torch.equal(both[0], own)
    assert steps == 2
    torch.testing.assert_close(own[-3:-1], sum(normalisers_alone(index) for index in FIRST) / 2)
    for (weights, labels), variant in zip(weighed, ('paper', 'reference')):
        alone, _ = weights_and_hard_samples(*gradients_of_batch(), variant)  # the whole batch in one process
        torch.testing.assert_close(weights, alone)
        assert labels.tolist() == [4, 0, 2, 4]  # first samples 0, 1, 3, 4 of both parts, then those that are hard


def test_messages():
    with pytest.raises(RuntimeError, match='the memory bank is empty: MemoryBankHook, or'):
        step(make_transfer(allocate=False), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="needs each sample's index in the training set"):
        make_transfer()(networks(torch.tensor([0, 31])), LABELS[[0, 31]], 1.0)
    with pytest.raises(RuntimeError, match='not from the training set that the memory bank was allocated for'):
        make_transfer()(networks(torch.tensor([0, 31])), torch.tensor([1, 1]), 1.0, torch.tensor([0, 31]))
    with pytest.raises(RuntimeError, match='not from the training set that the memory bank was allocated for'):
        make_transfer()(networks(torch.tensor([0, 31])), LABELS[[0, 31]], 1.0, torch.tensor([0, len(LABELS)]))
    with pytest.raises(ValueError, match='two classes at least, got 9 samples of one'):
        make_transfer(allocate=False).remember(torch.zeros(9, dtype=torch.long))
    with pytest.raises(ValueError, match='tau above 0.*got dim=128, negatives=16384, tau=0'):
        ContrastiveTransfer(source='a.embedding', target='b.embedding', tau=0)
    for wrong in (dict(dim=0), dict(negatives=0), dict(tau=-1), dict(momentum=-0.1), dict(momentum=1)):
        with pytest.raises(ValueError, match='ContrastiveTransfer needs dim and negatives of at least 1'):
            ContrastiveTransfer(source='a.embedding', target='b.embedding', **wrong)
    assert ContrastiveTransfer(source='a.embedding', target='b.embedding', dim=1, negatives=1, momentum=0).has_memory_bank
    assert not BatchContrastTransfer(source='a.embedding', target='b.embedding').has_memory_bank
    with pytest.raises(ValueError, match=r'contrast is between vectors \(C, \), got \(6, 1\)'):
        ContrastiveTransfer(source='gaf.stages.0', target='student.embedding').bind(networks(torch.arange(2)))


def batch_transfer(**options):
    torch.manual_seed(0)
    transfer = BatchContrastTransfer(source='gaf.embedding', target='student.embedding', dim=8, **options)
    transfer.bind(networks(torch.arange(2)))
    return transfer


def test_contrast_within_the_batch_worked_out():
    transfer, index = batch_transfer(consistency=0.5).double(), torch.tensor([0, 31, 39, 4])
    value, gradient = step(transfer, index)
    pair, result = transfer.pairs['gaf'], networks(index, torch.float64)
    a = F.normalize(pair.embed_target(result['student'].embedding), dim=1)
    b = F.normalize(pair.embed_source(result['gaf'].embedding), dim=1)
    scores = math.e * a @ b.T  # a scale of e at the start
    ce = F.cross_entropy(scores, torch.arange(4))
    rows, columns = scores.softmax(1), scores.T.softmax(1)
    kl = (columns * (columns / rows).log()).sum(1).mean()
    torch.testing.assert_close(value, ce + 0.5 * kl)
    assert gradient.abs().sum() > 0
    assert all(p.grad.abs().sum() > 0 for p in transfer.parameters())


def test_the_scale_stops_at_ten():
    transfer = batch_transfer()
    with torch.no_grad():
        transfer.pairs['gaf'].log_scale.fill_(9.0)
    result = networks(torch.arange(6))
    assert transfer.pairs['gaf'](result['student'].embedding, result['gaf'].embedding).abs().max() <= 10
    same = F.normalize(torch.randn(6, 8), dim=1)
    torch.testing.assert_close(transfer.pairs['gaf']._similarities(same, same).diagonal(), torch.full((6,), 10.0))


def test_a_batch_of_one_has_nothing_to_contrast():
    value, gradient = step(batch_transfer(), torch.tensor([3]))
    assert value == 0
    assert torch.isfinite(gradient).all()


def test_mutual_transfers_move_both_sides():
    index = torch.tensor([0, 31, 39])
    for mutual in (False, True):
        result = networks(index)
        result['gaf'].embedding.requires_grad_()
        batch_transfer(mutual=mutual)(result, LABELS[index], 1.0).backward()
        assert (result['gaf'].embedding.grad is not None) == mutual
        assert result['student'].embedding.grad.abs().sum() > 0
