"""Spaces as they are written: every fault at once, with the nearest known name."""

import pytest
from helpers import ROOT

from mmkd_plugin.experiments import expand, parse_space, parse_sweep
from mmkd_plugin.fileio import ConfigError, read_config

WEIGHT = {'model.transfers.kd.weight': dict(low=0.01, high=1, log=True)}


def space_of(space=WEIGHT, **content):
    return parse_space({'axes': dict(method=['kd', 'at']), 'space': space, **content}, 'space.py', ['load_from', 'teacher_dir'])


def faults_of(space=WEIGHT, **content):
    with pytest.raises(ConfigError) as error:
        space_of(space, **content)
    return list(error.value.faults)


def test_ranges_whole_numbers_and_lists():
    domains = space_of(
        {'a.weight': dict(low=0.01, high=1, log=True), 'a.tau': dict(low=1, high=9, step=2), 'a.path': [[0, 1], 'all', None]}
    ).domains
    assert [domains['a.weight'].whole, domains['a.tau'].whole] == [False, True]
    assert [domain.ends for domain in domains.values()] == [[0.01, 1.0], [1, 9], [[0, 1], 'all', None]]
    assert [type(value) for value in domains['a.weight'].ends] == [float, float]
    assert domains['a.path'].labels == ['[0, 1]', 'all', None]
    assert domains['a.path'].value_of('[0, 1]') == [0, 1]
    assert domains['a.weight'].shorten(0.123456789) == 0.123457
    assert domains['a.weight'].shorten(0.0100000001) == 0.01
    assert space_of({**WEIGHT, 'a.b': None}).domains.keys() == WEIGHT.keys()  # a child config has dropped the key


@pytest.mark.parametrize(
    ('given', 'fault'),
    [
        (0.5, 'must be a list of values, or a range as dict(low=0.01, high=1.0, log=True); got 0.5'),
        ([], ': the list of values is empty'),
        ([1, 2, 1], ': 1 stands in the list more than once'),
        (dict(low=1), ': a range needs low and high; there is no high'),
        (dict(low='1', high=2), ": low must be a number, got '1'"),
        (dict(low=0, high=float('inf')), ': high must be a number, got inf'),
        (dict(low=2, high=1), ': low must be below high, got low=2 and high=1'),
        (dict(low=0, high=1, log=True), ': log=True needs low above 0, got low=0'),
        (dict(low=1, high=2, log=1), ': log must be True or False, got 1'),
        (dict(low=1, high=2, log=True, step=0.5), ': log=True takes no step, but step=1 between whole numbers; got step=0.5'),
        (dict(low=1, high=2, step=0), ': step must be above 0, got 0'),
        (dict(low=1, high=2, step=0.3), ': steps of 0.3 from low=1 do not come to high=2'),
        (
            dict(lo=1, high=2),
            ": there is no field 'lo'; did you mean 'low'? fields are low, high, log, step, values, where, also",
        ),
        (dict(values=[1], low=0), ' is a list or a range; got values beside low'),
        (dict(values=[1], where=dict(method=dict(mni=1))), ": where: method: there is no filter 'mni'; did you mean 'min'?"),
        (dict(values=[1], also='a.c'), ": also must be a list of keys, got 'a.c'"),
        (dict(values=[1], where=dict(seed=0)), ': where: the runs of a trial, one for each seed, have the same values'),
    ],
)
def test_a_domain_of_a_wrong_form_is_named(given, fault):
    (sentence,) = faults_of({'a.b': given})
    assert sentence.startswith(f'space a.b{fault}' if fault[0] in ': ' else f'space a.b {fault}')


@pytest.mark.parametrize(
    ('content', 'fault'),
    [
        (dict(space={}), 'there is no space; space = {key: a list of values, or a range'),
        (dict(space=[1]), 'space must be a dict, whose keys are those of a config; got [1]'),
        (dict(space={'seed': [0, 1]}), 'space: seed is no key of a config; axes = dict(seed=[...]) makes runs of each'),
        (dict(space={'teacher_dri': [1]}), "space: there is no setting 'teacher_dri'; did you mean 'teacher_dir'?"),
        (
            dict(base={'model.transfers.kd.weight': 1}),
            'space: model.transfers.kd.weight is set by base too; a key is searched or',
        ),
        (
            dict(spase=1),
            "there is no key 'spase'; did you mean 'space'? keys are base, axes, where, repeats, fair, space, trials,",
        ),
        (
            dict(objective='acuracy'),
            "there is no objective 'acuracy'; did you mean 'accuracy'? objectives are accuracy, macro_f1",
        ),
        (dict(trials=0), 'trials must be a whole number from 1, got 0'),
        (dict(parallel=True), 'parallel must be a whole number from 1, got True'),
        (dict(sampler_seed=-1), 'sampler_seed must be a whole number from 0, got -1'),
        (dict(fair=1), 'fair must be True or False, got 1'),
        (
            dict(pruner='Median'),
            "pruner must be a dict with type, as dict(type='MedianPruner', n_warmup_steps=5); got 'Median'",
        ),
        (dict(pruner=dict(type='MedianPrunr')), "there is no pruner 'MedianPrunr'; did you mean 'MedianPruner'? pruners are"),
        (
            dict(pruner=dict(type='MedianPruner', n_warmup=3)),
            "pruner: MedianPruner takes no 'n_warmup'; did you mean 'n_warmup_steps'?",
        ),
        (dict(pruner=dict(type='MedianPruner', n_startup_trials=-1)), 'pruner: Number of startup trials cannot be negative'),
    ],
)
def test_what_is_unknown_or_of_a_wrong_form_is_named(content, fault):
    (sentence,) = faults_of(**content)
    assert sentence.startswith(fault)


def test_all_faults_are_in_one_list():
    faults = faults_of({'a.b': [], 'c.d': dict(low=1)}, trials=0, wher=[])
    assert [fault.split(':')[0] for fault in faults] == [
        "there is no key 'wher'; did you mean 'where'? keys are base, axes, where, repeats, fair, space, trials, objective, "
        'pruner, parallel, sampler_seed, average_over; a variable of your own begins with an underscore',
        'space a.b',
        'space c.d',
        'trials must be a whole number from 1, got 0',
    ]


def test_a_fair_sweep_has_as_many_runs_of_every_method():
    axes = {'method': ['kd', 'at'], 'seed': [0], 'a.weight': dict(values=[1, 2], where=dict(method='kd'))}
    with pytest.raises(ConfigError, match=r'^fair=True: every method needs the same number of runs; kd has 2, at has 1$'):
        expand(parse_sweep(dict(axes=axes, fair=True), 'sweep.py'), lambda choice: 1)
    both = {**axes, 'b.weight': dict(values=[3, 4], where=dict(method='at'))}
    assert len(expand(parse_sweep(dict(axes=both, fair=True), 'sweep.py'), lambda choice: 1)) == 4


@pytest.mark.parametrize('path', sorted((ROOT / 'configs' / 'searches').glob('*.py')), ids=lambda path: path.stem)
def test_shipped_searches_are_sound_and_fair(path):
    space = parse_space(read_config(path).to_dict(), str(path))
    assert space.sweep.fair
    assert space.domains


def test_a_trial_may_be_the_mean_over_other_axes_than_fold_and_seed():
    axes = dict(method=['kd'], data=['watch', 'hapt'], fold=[0])
    assert space_of(axes=axes, average_over=['data', 'fold']).of_a_trial == ('fold', 'seed', 'data')
    assert space_of(axes=axes).of_a_trial == ('fold', 'seed')
    assert faults_of(axes=axes, average_over='data') == ["average_over must be a list of axes, as ['data']; got 'data'"]
    assert faults_of(axes=axes, average_over=['method', 'dta']) == [
        "average_over: methods are searched one by one, 'method' cannot be averaged over",
        "average_over: there is no axis 'dta'; did you mean 'data'? axes are data",
    ]
    where = {'a.b': dict(values=[1], where=dict(data='watch'))}
    assert faults_of(where, axes=axes, average_over=['data']) == [
        'space a.b: where: the runs of a trial, one for each data, have the same values'
    ]


def test_several_keys_may_have_one_value():
    tied = {'a.b': dict(low=0, high=1, also=['a.c', 'a.d']), 'a.e': [1]}
    assert space_of(tied).keys == ['a.b', 'a.c', 'a.d', 'a.e']
    assert faults_of({'a.b': dict(values=[1], also=['c', 'a.b'])}) == [
        "space: there is no setting 'c'; other keys have dots, as optim_wrapper.optimizer.lr",
        'space: a.b is set by space a.b too; a key is searched or set',
    ]
