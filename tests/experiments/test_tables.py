"""Means and spreads by hand, from records of runs that were never made: of 20 windows, 1 is worth 5 points."""

import numpy as np
import pytest
from writers.records import record

from mmkd_plugin.experiments import cells_of, failed_record, figure_table
from mmkd_plugin.experiments.cells import SCRATCH
from mmkd_plugin.experiments.tables import (
    area_table,
    complementarity_table,
    cost_table,
    detector_table,
    measure_table,
    missing_table,
)

SCRATCH_RUNS = [record(SCRATCH, {s: 8}, fold=fold, seed=seed) for fold, s in enumerate('12') for seed in (0, 1)]
# Subject 1: 10 and 12 of 20; subject 2: 16 and 18.
RUNS = [
    record('kd', {'1': 10}, fold=0, seed=0),
    record('kd', {'1': 12}, fold=0, seed=1),
    record('kd', {'2': 16}, fold=1, seed=0),
    record('kd', {'2': 18}, fold=1, seed=1),
]


def rows_of(table):
    """Rows by the network's name, each a dict by the column's name."""
    names = [column.name for column in table.columns]
    return {row[1]: dict(zip(names, row)) for row in table.rows}


def test_every_kind_of_mean_and_spread_has_a_column_of_its_own():
    row = rows_of(figure_table(cells_of([*RUNS, *SCRATCH_RUNS])))['kd']
    assert row['runs'] == '4'
    assert row['subjects'] == 2
    assert row['mean of subjects'] == 70  # of 55 and 85, the seeds averaged
    assert row['SD of subjects'] == pytest.approx(30 / 2**0.5)
    assert row['SD of seeds'] == pytest.approx(10 / 2**0.5)  # of 65 and 75
    assert row['mean of folds'] == row['pooled'] == 70


def test_subjects_folds_and_windows_are_three_different_units():
    """Fold 0: subject 1 with 20 windows, all right, and subject 2 with none right; fold 1: subject 3 with 40 windows, none right."""
    runs = [record('kd', {'1': 20, '2': 0}), record('kd', {'3': 0}, fold=1, n=40)]
    row = rows_of(figure_table(cells_of(runs)))['kd']
    assert row['mean of subjects'] == pytest.approx(100 / 3)
    assert row['mean of folds'] == 25
    assert row['pooled'] == pytest.approx(100 * 20 / 80)
    assert row['SD of seeds'] is None
    uneven = [record('kd', {'1': 20}), record('kd', {'2': 0}, fold=1, n=60)]
    row = rows_of(figure_table(cells_of(uneven)))['kd']
    assert (row['mean of subjects'], row['mean of folds'], row['pooled']) == (50, 50, 25)


def test_folds_of_a_single_class_are_shown_with_and_without():
    runs = [record('kd', {'1': 10}), record('kd', {'2': 20}, fold=1, classes=1)]
    table = figure_table(cells_of(runs))
    row = rows_of(table)['kd']
    assert (row['mean of folds'], row['mean of folds, without folds of a single class']) == (75, 50)
    assert (row['pooled'], row['pooled, without folds of a single class']) == (75, 50)
    assert table.notes == (
        'watch, fold 1: the test windows have no run; macro-F1 and balanced accuracy are over the other classes',
        'watch: folds of a single class: 1',
    )
    alone = rows_of(figure_table(cells_of([record('kd', {'2': 20}, classes=1)])))['kd']
    assert (alone['pooled'], alone['pooled, without folds of a single class']) == (100, None)


def test_areas_are_of_the_subjects_who_have_both_classes():
    runs = [record('kd', {'1': 10, '2': 10}, seed=seed) for seed in (0, 1)]
    assert area_table(cells_of([record('kd', {'1': 20}, classes=1)])) is None
    for run, areas in zip(runs, ((0.9, 0.7), (0.8, 0.6))):
        (row,) = run['networks']
        for subject, area in zip(row['test']['best']['subjects'], areas):
            subject['auroc'] = area
        row['test']['best']['subjects'].append({'subject': '3', 'n': 1, 'correct': 1, 'accuracy': 1.0, 'macro_f1': 1.0})
    row = rows_of(area_table(cells_of(runs)))['kd']
    assert (row['runs'], row['subjects'], row['mean of subjects']) == ('2', 2, pytest.approx(75))
    assert row['SD of subjects'] == pytest.approx(20 / 2**0.5)  # of 85 and 65
    assert row['SD of seeds'] == pytest.approx(10 / 2**0.5)  # of 80 and 70


def test_macro_f1_is_over_the_classes_of_the_split():
    """Fold 1 has one class, all its windows right: its macro-F1 is 1. Pooled: from the windows of both folds."""
    runs = [record('kd', {'1': 10}), record('kd', {'2': 20}, fold=1, classes=1)]
    row = rows_of(figure_table(cells_of(runs), 'macro_f1'))['kd']
    assert row['mean of subjects'] == pytest.approx((50 + 100) / 2)
    # walk: 10 + 20 − 5 right of 30, 5 of others called walk; run: 5 of 10, 5 of others called run
    assert row['pooled'] == pytest.approx(100 * (2 * 25 / (2 * 25 + 5 + 5) + 2 * 5 / (2 * 5 + 5 + 5)) / 2)


@pytest.mark.parametrize('names', [['walk', 'run', 'sit'], ['run', 'walk']])
def test_windows_of_other_classes_are_not_pooled(names):
    runs = [record('kd', {'1': 10}), record('kd', {'2': 20}, fold=1)]
    split = runs[1]['networks'][0]['test']['best']
    split['classes'] = [{**split['classes'][0], 'class': name} for name in names]
    split['confusion'] = np.diag([20, *[0] * (len(names) - 1)]).tolist()
    row = rows_of(figure_table(cells_of(runs), 'macro_f1'))['kd']
    assert (row['pooled'], row['mean of subjects']) == (None, pytest.approx((50 + 100) / 2))


def test_a_cell_with_missing_runs_says_how_many_and_has_no_figure():
    failed = failed_record('out of memory', 'at', 'watch', 1, fold=1)
    cells = cells_of([*RUNS, *SCRATCH_RUNS, record('at', {'1': 10}), failed])
    row = rows_of(figure_table(cells))['at']
    assert row['runs'] == '1 of 4'
    assert {value for name, value in row.items() if name not in ('data', 'network', 'runs')} == {None}
    assert set(rows_of(measure_table(cells))['at'].values()) == {'watch', 'at', '1 of 4', None}
    assert missing_table(cells).rows == (
        ('watch', 'at', '0', '1', 'no record'),
        ('watch', 'at', '1', '0', 'no record'),
        ('watch', 'at', '1', '1', 'out of memory'),
    )
    assert missing_table(cells_of([*RUNS, *SCRATCH_RUNS])) is None


def test_the_student_without_teachers_is_the_first_row_of_every_data_set():
    cells = cells_of([*RUNS, *SCRATCH_RUNS, record('at', {'1': 10}, data='hapt')])
    assert [(cell.data, cell.name, cell.count) for cell in cells] == [
        ('hapt', SCRATCH, '0 of 1'),
        ('hapt', 'at', '1'),
        ('watch', SCRATCH, '4'),
        ('watch', 'kd', '4'),
    ]


def test_best_and_last_are_two_tables_and_the_better_of_them_only_a_legacy_column():
    runs = [record('kd', {'1': 10}, last={'1': 14})]
    cells = cells_of(runs)
    assert [rows_of(figure_table(cells, which=which))['kd']['pooled'] for which in ('best', 'last')] == [50, 70]
    table = figure_table(cells, legacy=True)
    name = 'better on test of best and last (legacy)'
    assert rows_of(table)['kd'][name] == 70
    assert table.notes[-1].startswith('legacy: of the two checkpoints the one that is better on the test split')
    assert not any('legacy' in column.name for column in figure_table(cells).columns)


def test_settings_first_looks_and_changed_configs_are_methods_of_their_own():
    def name(**fields):
        return record('kd', {'1': 10}, **fields)

    other = {**RUNS[0]['fingerprints'], 'config': 'f' * 64}
    runs = [name(), name(settings={'model.transfers.kd.weight': 3}), name(quick=True), name(fingerprints=other)]
    assert [cell.name for cell in cells_of(runs) if cell.rows] == [
        'kd (a first look)',
        'kd (model.transfers.kd.weight=3)',
        'kd [ffffff]',
        'kd [kdwatc]',
    ]
    assert [cell.name for cell in cells_of([name(quick=True)]) if cell.rows] == ['kd']


def test_a_run_that_was_made_again_counts_once():
    (_, cell) = cells_of([record('kd', {'1': 10}), record('kd', {'1': 14})])
    assert (cell.count, cell.subjects('accuracy', 'best')) == ('1', {'1': 70})


def test_a_teacher_is_one_row_for_all_runs_that_read_it():
    teachers = {'sig': (0.9, {'1': 16})}
    more = {'sig': (0.9, {'2': 12})}
    runs = [record(m, {'1': 10}, seed=seed, teachers=teachers) for m in ('kd', 'at') for seed in (0, 1)]
    runs += [record(m, {'2': 10}, fold=1, seed=seed, teachers=more) for m in ('kd', 'at') for seed in (0, 1)]
    cell = cells_of(runs)[0]
    assert (cell.name, cell.role, cell.count, cell.subjects('accuracy', 'best')) == (
        'teacher sig',
        'teacher',
        '2',
        {'1': 80, '2': 60},
    )
    row = rows_of(figure_table([cell]))['teacher sig']
    assert (row['mean of subjects'], row['SD of seeds']) == (70, None)
    last = record('sp', {'1': 10}, teachers=teachers)
    last['networks'][0]['sha256'] = 'weights of the last epoch'
    assert rows_of(figure_table(cells_of([*runs, last])))['teacher sig']['runs'] == '2'
    other = record('sp', {'1': 10}, teachers={'sig': (0.9, {'1': 17})})
    table = figure_table(cells_of([*runs, other]))
    assert rows_of(table)['teacher sig']['runs'] == '3'
    assert table.notes == ('watch: teacher sig has several sets of weights in one fold, and the means are over them',)


def test_complementarity_is_over_subjects_and_the_best_teacher_is_chosen_on_validation():
    """Subject 1: sig 12, gaf 16 of 20, so that they agree on 16; subject 2: both 10."""
    teachers = {'sig': (0.9, {'1': 12, '2': 10}), 'gaf': (0.8, {'1': 16, '2': 10})}
    table = complementarity_table(cells_of([record('kd', {'1': 14, '2': 12}, teachers=teachers)]))
    row = rows_of(table)['kd']
    assert row['teachers'] == 'sig, gaf'
    assert (row['agreement'], row['oracle']) == (90, 65)  # of 80 and 100, of 80 and 50
    assert row['best teacher'] == 'sig (55.00)'  # gaf is better on the test windows
    assert (row['oracle over best teacher'], row['student'], row['student over best teacher']) == (10, 65, 10)
    unknown = {'sig': (None, {'1': 12}), 'gaf': (0.8, {'1': 16})}
    row = rows_of(complementarity_table(cells_of([record('kd', {'1': 14}, teachers=unknown)])))['kd']
    assert (row['best teacher'], row['student over best teacher']) == ('unknown: no validation figure', None)
    assert complementarity_table(cells_of([record('kd', {'1': 14})])) is None


def test_measures_have_the_size_beside_them_and_costs_a_table_of_their_own():
    cells = cells_of([*RUNS, *SCRATCH_RUNS])
    row = rows_of(cost_table(cells))['kd']
    assert (row['seconds of a run'], row['peak memory (MiB)']) == (10.5, 1024)
    row = rows_of(measure_table(cells))['kd']
    assert (row['parameters'], row['MACs']) == (100, 1000)
    assert row['balanced accuracy'] == 70
    # Every response has the same confidence, e² / (e² + 1), which is 0.88.
    assert row['ECE'] == pytest.approx(sum(abs(88.08 - x) for x in (50, 60, 80, 90)) / 4, abs=0.01)


def test_a_detector_has_metrics_of_its_own():
    detector = dict(name='detector', role='detector', view='sig', params=1, macs=None, checkpoint=None, sha256=None, val=None)
    runs = []
    for (fold, seed), auroc in zip(((0, 0), (0, 1), (1, 0), (1, 1)), (0.9, 0.7, 0.6, 0.4)):
        run = record('anomaly', {'1': 10}, fold=fold, seed=seed)
        run['networks'].append({**detector, 'test': {'best': {'auroc': auroc}, 'last': {'auroc': 0.5}}})
        runs.append(run)
    row = rows_of(detector_table(cells_of(runs)))['anomaly: detector']
    assert row['auroc'] == pytest.approx(65)
    assert row['auroc, SD of folds'] == pytest.approx(30 / 2**0.5)  # of 80 and 50
    assert row['auroc, SD of seeds'] == pytest.approx(20 / 2**0.5)  # of 75 and 55
    row = rows_of(detector_table(cells_of(runs), 'last'))['anomaly: detector']
    assert (row['auroc'], row['auroc, SD of seeds']) == (50, 0)
    assert detector_table(cells_of(RUNS)) is None


def test_what_the_doctor_has_found_is_named_with_its_run():
    faults = ["teacher 'gaf' is at chance level"]
    records = [record('kd', {'a': 9, 'b': 12}, seed=seed, faults=faults if seed else []) for seed in (0, 1)]
    assert "watch, kd, fold 0, seed 1: teacher 'gaf' is at chance level" in figure_table(cells_of(records)).notes
    assert not any('seed 0' in note for note in figure_table(cells_of(records)).notes)
