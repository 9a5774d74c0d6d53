"""Costs of students, by hand and beside what a run counts; accuracy of two artefacts beside each other."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from students import random_student, tiny_loader

from mmkd_plugin.apis.rows import count_macs as count_in_a_run
from mmkd_plugin.deploy.budget import Budget, Limits, Step, count_macs, measure_latency, peak_activations
from mmkd_plugin.deploy.quantize import compare_accuracy
from mmkd_plugin.engine import Predictions
from mmkd_plugin.registry import MODELS


def test_activations_live_from_the_operation_that_writes_them_to_the_last_that_reads_them():
    #  x(100) -> a(40) -> b(60) -> c = a + b (60) -> y(4)
    steps = [Step(('x',), ('a',)), Step(('a',), ('b',)), Step(('a', 'b'), ('c',)), Step(('c',), ('y',))]
    sizes = dict(x=100, a=40, b=60, c=60, y=4)
    assert peak_activations(steps, sizes, ['y']) == 40 + 60 + 60
    assert peak_activations(steps, {**sizes, 'x': 200}, ['y']) == 200 + 40
    assert peak_activations(steps, sizes, ['a', 'y']) == 40 + 60 + 60  # an output lives to the end
    assert peak_activations(steps, {**sizes, 'y': 90}, ['a', 'y']) == 40 + 60 + 90


def test_operations_are_those_that_a_run_counts():
    student = random_student()
    cfg, _ = tiny_loader()
    model = MODELS.build(copy.deepcopy({'data_preprocessor': cfg.data_preprocessor, **cfg.model}))
    assert count_macs(student) == count_in_a_run(model, 'student') > 10**6


def test_latency_is_that_of_each_network_in_turn():
    calls = []
    runs = {name: lambda signal, name=name: calls.append(name) for name in ('a', 'b')}
    latency = measure_latency(runs, np.zeros((1, 2, 3)), rounds=3)
    assert calls == ['a', 'b'] * (5 + 3)
    assert all(0 < each['p50'] <= each['p95'] for each in latency.values())
    measure_latency(runs, np.zeros((1, 2, 3)), seconds=0)
    assert calls == ['a', 'b'] * (5 + 3 + 5 + 1)


def predictions(classes, labels, subjects):
    samples = tuple(DataSample(metainfo={'subject': subject}) for subject in subjects)
    logits = torch.nn.functional.one_hot(torch.tensor(classes), 2).float()
    return Predictions(logits, torch.tensor(labels), tuple(map(str, range(len(labels)))), samples)


def test_memory_is_that_of_the_arena_where_one_is_known():
    latency = {name: dict(p50=1.0, p95=2.0) for name in ('artefact', 'pytorch')}
    graph = Budget(10, 20, 30, 2048, latency)
    arena, unknown = dataclasses.replace(graph, arena=4096), dataclasses.replace(graph, activations=None)
    assert 'activations       2.0 KiB at most' in graph.to_text()
    assert 'arena             4.0 KiB at most' in arena.to_text()
    assert 'activations       not known of this format' in unknown.to_text()
    assert graph.faults(Limits(ram=3)) == []
    assert arena.faults(Limits(ram=3)) == ['its arena takes 4.0 KiB, more than --max-ram 3']
    assert unknown.faults(Limits(ram=3, params=9)) == [
        'its memory is not known, which --max-ram is of',
        'it has 10 parameters, more than --max-params 9',
    ]


def test_accuracy_is_compared_over_all_windows_by_class_and_by_subject():
    labels, subjects = [0, 0, 1, 1, -1], ['ann', 'bob', 'ann', 'bob', 'bob']
    classes = {'float32': [0, 0, 1, 0, 0], 'int8': [0, 1, 1, 0, 0], 'int8 qat': [0, 0, 1, 1, 0]}
    each = {name: predictions(values, labels, subjects) for name, values in classes.items()}
    tuned = compare_accuracy(['rest', 'walk'], each)
    assert tuned.drop == pytest.approx(-25)
    assert tuned.to_dict()['rows'][0] == dict(kind='all', name='windows', windows=4, float32=0.75, int8=0.5) | {'int8 qat': 1.0}
    assert '  all windows        4    75.00    50.00    100.00' in tuned.to_text()
    accuracy = compare_accuracy(['rest', 'walk'], {name: each[name] for name in ('float32', 'int8')})
    assert accuracy.drop == pytest.approx(25)
    assert accuracy.rows == (
        ('all', 'windows', 4, (0.75, 0.5)),
        ('class', 'rest', 2, (1.0, 0.5)),
        ('class', 'walk', 2, (0.5, 0.5)),
        ('subject', 'ann', 2, (1.0, 1.0)),
        ('subject', 'bob', 2, (0.5, 0.0)),
    )
    assert '  all windows        4    75.00    50.00' in accuracy.to_text()
    with pytest.raises(ValueError, match='no test window is of a class that the student knows'):
        compare_accuracy(['rest', 'walk'], {'float32': predictions([0], [-1], ['ann'])})
