"""Numbers of functions, views, connectors, weightings and methods on fixed inputs, over versions of what they stand on."""

import re

import pytest
from recorded.methods import EPOCH, STEPS, losses, method_names
from recorded.parts import missing_parts, part_values
from recorded.record import compare, current_stack, read

from mmkd_plugin import functional

FIRST = 2 * EPOCH  # steps of each method here; `python tools/dev/values.py` compares all of them


@pytest.fixture(scope='module')
def recorded():
    return read()


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Teachers and their outputs, which methods share."""
    return tmp_path_factory.mktemp('methods')


def check(values, recorded):
    faults = compare(values, recorded, partly=True)
    assert not faults, '\n'.join(faults)


def test_every_part_and_every_method_is_recorded(recorded):
    assert missing_parts() == []
    names = {name.partition(' (')[0] for name in recorded['values']}
    assert {name for name in names if name.startswith('methods/')} == {f'methods/{name}' for name in method_names()}
    losses_of = [digest for name, digests in recorded['values'].items() if name.startswith('methods/') for digest in digests]
    assert {len(digest) for digest in losses_of} == {1 + STEPS}
    assert {name for name in names if name.startswith('functions/')} == {f'functions/{name}' for name in functional.__all__}


def test_values_of_parts(recorded):
    values = dict(part_values())
    assert values.keys() == {name for name in recorded['values'] if not name.startswith('methods/')}
    check(values, recorded)


@pytest.mark.parametrize('name', method_names())
def test_losses_of_the_first_steps(name, recorded, folder):
    check({f'methods/{name}': losses(name, folder, FIRST)}, recorded)


ORIGINAL = functional.softened_kl
# Functions in the place of it, and the sentence that the check gives.
FAULTS = {
    'another constant': (
        lambda a, b, tau: ORIGINAL(a, b, 1.00000001 * tau),
        r'number \d of digest 0 is [\d.e-]+, recorded [\d.e-]+: \d.\de-0[789] apart, 1e-10 allowed',
    ),
    'single precision and back': (
        lambda a, b, tau: ORIGINAL(a.float(), b.float(), tau).to(a.dtype),
        r'number \d of digest 0 is [\d.e-]+, recorded [\d.e-]+: \d.\de-0[678] apart, 1e-10 allowed',
    ),
    'single precision': (
        lambda a, b, tau: ORIGINAL(a.float(), b.float(), tau),
        'digest 0 is of 6 numbers of float32, recorded 6 of float64',
    ),
    'one number less': (
        lambda a, b, tau: ORIGINAL(a, b, tau)[1:],
        'digest 0 is of 5 numbers of float64, recorded 6 of float64',
    ),
}


@pytest.mark.parametrize('fault', FAULTS)
def test_a_planted_fault_is_named(fault, recorded, monkeypatch):
    planted, sentence = FAULTS[fault]
    monkeypatch.setattr(functional, 'softened_kl', planted)
    faults = compare(dict(part_values('softened_kl')), recorded, partly=True)
    double = next(fault for fault in faults if fault.startswith('functions/softened_kl (float64): '))
    assert re.fullmatch(re.escape('functions/softened_kl (float64): ') + sentence, double), faults


def test_a_method_that_learns_otherwise_is_named_with_the_first_step(recorded, folder, monkeypatch):
    def planted(*arguments):
        return 1.001 * ORIGINAL(*arguments)

    monkeypatch.setattr('mmkd_plugin.models.transfers.response.softened_kl', planted)
    fault, *_ = compare({'methods/kd': losses('kd', folder, EPOCH)}, recorded, partly=True)
    assert fault.startswith('methods/kd: loss_kd at step 0 is ')


def test_what_is_not_recorded_and_what_of_the_stack_is_another_is_named(recorded):
    kept = recorded['values']['functions/softened_kl (float64)']
    known = {'stack': {**current_stack(), 'torch': '1.0'}, 'values': {'a': kept, 'b': kept, 'c': kept, 'methods/d': []}}
    kind, first, *others = kept[0]
    values = {'a': kept, 'b': [[kind, first + 1e-6, *others], *kept[1:]], 'c': kept[:1], 'new': kept}
    faults = compare(values, known)
    assert faults[:2] == ['new is not in the file', 'methods/d is in the file alone']
    assert faults[2].startswith('b: number 0 of digest 0 is ')
    assert faults[3] == f'c: there are 1 digests, {len(kept)} recorded'
    assert faults[4] == f'the stack is another: torch {current_stack()["torch"]} (recorded 1.0)'
    (*_, same) = compare({'new': kept}, {**known, 'stack': current_stack()}, partly=True)
    assert same == 'the stack is the one of the file: the code has changed'
    assert compare({'a': kept}, known, partly=True) == []
