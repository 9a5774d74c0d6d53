"""Curves of a run, from the files that the host logs into."""

import json

import pytest

from mmkd_plugin.fileio import plain_metrics, read_curves


def log(folder, start, *rows, torn=''):
    file = folder / start / 'vis_data' / 'scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(json.dumps(row) + '\n' for row in rows) + torn)


def epoch(number, loss, accuracy):
    train = {
        'lr': 0.1,
        'loss': loss,
        'loss_kd': loss / 2,
        'weight_kd/sig': 0.25,
        'time': 0.1,
        'epoch': number,
        'iter': 9,
        'step': 9,
    }
    return [{**train, 'loss': 99.0}, train, {'accuracy/top1': accuracy, 'anomaly/auroc': 0.5, 'time': 0.1, 'step': number}]


def test_the_last_value_of_every_epoch_and_validation_beside_it(tmp_path):
    log(tmp_path, '20260101_000000', *epoch(1, 2.0, 40.0), *epoch(2, 1.2345678, float('nan')))
    assert read_curves(tmp_path) == {
        'epoch': [1, 2],
        'loss': [2.0, 1.2346],
        'loss_kd': [1.0, 0.61728],
        'lr': [0.1, 0.1],
        'val_accuracy': [0.4, None],
        'val_auroc': [0.5, 0.5],
        'weight_kd/sig': [0.25, 0.25],
    }


def test_a_run_that_goes_on_takes_the_place_of_the_epochs_from_there_on(tmp_path):
    log(tmp_path, '20260101_000000', *epoch(1, 4.0, 10), *epoch(2, 3.0, 20), *epoch(3, 2.0, 30), torn='{"loss": 1.')
    log(tmp_path, '20260101_000001', *epoch(2, 2.5, 25))
    log(tmp_path, '20260101_000002')  # ended before an epoch was over
    curves = read_curves(tmp_path)
    assert (curves['epoch'], curves['loss'], curves['val_accuracy']) == ([1, 2], [4.0, 2.5], [0.1, 0.25])


def test_a_run_that_was_stopped_before_its_last_validation_has_that_validation(tmp_path):
    *training, validation = epoch(2, 3.0, 20)
    log(tmp_path, '20260101_000000', *epoch(1, 4.0, 10), *training)
    log(tmp_path, '20260101_000001', validation)
    curves = read_curves(tmp_path)
    assert (curves['epoch'], curves['loss'], curves['val_accuracy']) == ([1, 2], [4.0, 3.0], [0.1, 0.2])


@pytest.mark.parametrize('torn', ['', '[1]\n', '{"epoch": "one"}\n', '{"step": null}\n', '\n'])
def test_without_a_logged_epoch_there_are_no_curves(torn, tmp_path):
    assert read_curves(tmp_path) == {}
    log(tmp_path, 'a', torn=torn)
    assert read_curves(tmp_path) == {}


def test_a_number_of_many_digits_is_no_metric(tmp_path):
    log(tmp_path, '20260101_000000', {'lr': 0.1, 'loss': 10**400, 'epoch': 1}, {'accuracy/top1': 10**400, 'step': 1})
    assert read_curves(tmp_path) == {'epoch': [1], 'lr': [0.1], 'loss': [None]}


def test_metrics_of_the_host_by_the_names_of_tables():
    host = {'accuracy/top1': 50.0, 'single-label/f1-score': [20.0, 40.0], 'anomaly/auroc': 0.7, 'other/x': 3}
    assert plain_metrics(host) == {'accuracy': 0.5, 'macro_f1': [0.2, 0.4], 'auroc': 0.7, 'other/x': 3}
