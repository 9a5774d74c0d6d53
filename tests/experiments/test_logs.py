"""Records from text logs: what a log says, nothing else, and reports that say where it is from."""

import time

import pytest
from helpers import call
from writers.logs import PATTERNS, published_log
from writers.records import record

from mmkd_plugin.experiments import cells_of, figure_table, logs, read_log, read_records
from mmkd_plugin.experiments.records import record_faults
from mmkd_plugin.experiments.report import build_report, to_markdown, write_report

GIVEN = dict(method='kd', data='pamap2')


def write(folder, text, name='train.log'):
    (folder / name).write_text(text)
    return folder / name


def test_a_published_log_by_hand(tmp_path):
    path = write(tmp_path, published_log([70, 85.9573, 82.5], subject=3))
    (content,) = read_log(path, PATTERNS, 'percent', GIVEN)
    assert record_faults(content) == []
    assert [content[name] for name in ('method', 'data', 'fold', 'seed')] == ['kd', 'pamap2', 3, 1234]
    assert (content['settings'], content['subjects']) == ({'imported': 'log'}, {'test': ['3']})
    assert content['code']['imported']['file'] == str(path)
    (row,) = content['networks']
    # The last epoch's figure alone: which epoch is best on validation, the log does not say.
    assert row['test'] == {'best': None, 'last': {'accuracy': 0.825, 'subjects': [{'subject': '3', 'accuracy': 0.825}]}}
    assert (row['params'], row['macs'], row['view'], row['val'], content['curves']) == (None, None, None, None, {})


def test_best_on_test_is_asked_for_and_marked(tmp_path):
    path = write(tmp_path, published_log([70, 85.9573, 82.5]))
    (content,) = read_log(path, PATTERNS, 'percent', GIVEN, best_on_test=True)
    assert content['networks'][0]['test']['best']['accuracy'] == pytest.approx(0.859573)
    assert content['code']['imported']['best'] == 'on the test split'


def test_the_best_epoch_is_that_of_validation_where_a_log_says_it(tmp_path):
    lines = [f'Epoch {e}: val {v:.2f}\n * Acc@1 {a:.3f}' for e, (v, a) in enumerate([(0.5, 0.6), (0.8, 0.7), (0.7, 0.9)])]
    path = write(tmp_path, '\n'.join(lines), 'kd_seed7.txt')
    patterns = [r'_seed(?P<seed>\d+)', r'Epoch (?P<epoch>\d+): val (?P<val_accuracy>\S+)', r'Acc@1 (?P<accuracy>\S+)']
    (content,) = read_log(path, patterns, 'share', GIVEN)
    (row,) = content['networks']
    assert (content['seed'], content['fold'], row['val']) == (7, None, {'accuracy': 0.8})
    assert [row['test'][which]['accuracy'] for which in ('best', 'last')] == [0.7, 0.9]
    assert content['curves'] == {'epoch': [0, 1, 2], 'val_accuracy': [0.5, 0.8, 0.7]}
    with pytest.raises(ValueError, match='val_accuracy and accuracy stand in different lines; a group epoch brings them'):
        read_log(path, [patterns[0], r'val (?P<val_accuracy>\S+)', patterns[2]], 'share', GIVEN)


def test_several_runs_in_one_log_are_told_by_what_changes(tmp_path):
    text = ''.join(published_log([60, 60 + 5 * s + seed], s, seed) for s in range(2) for seed in (1, 2))
    content = read_log(write(tmp_path, text), PATTERNS, 'percent', GIVEN)
    runs = [(r['fold'], r['seed'], r['networks'][0]['test']['last']['accuracy']) for r in content]
    assert runs == [(0, 1, 0.61), (0, 2, 0.62), (1, 1, 0.66), (1, 2, 0.67)]
    # A teacher's training before that of the student, with nothing that tells them apart.
    path = write(tmp_path, published_log([60, 61]) + published_log([70, 71]))
    with pytest.raises(ValueError, match=r'line 10: epoch 0 comes after 1: another run begins, and no pattern tells the two'):
        read_log(path, PATTERNS, 'percent', GIVEN)


def test_a_log_that_ends_early_is_a_failed_run(tmp_path):
    path = write(tmp_path, published_log([60, 61, 62], epochs=200))
    (content,) = read_log(path, PATTERNS, 'percent', GIVEN, epochs=200)
    assert content['ended'] == {'state': 'failed', 'reason': f'the log {path} ends after 3 of 200 epochs'}
    assert (content['networks'], record_faults(content)) == ([], [])


@pytest.mark.parametrize(
    ('text', 'patterns', 'message'),
    [
        ('', PATTERNS, r'train\.log: no pattern finds an accuracy in it'),
        ('x', ['(?P<accuracy>'], r"pattern '\(\?P<accuracy>' is no regular expression: missing \)"),
        ('x', ['(?P<acuracy>.)'], "there is no group 'acuracy'; did you mean 'accuracy'"),
        ('x', ['(?P<seed>.)'], "no pattern has a group 'accuracy', for example"),
        ('acc 82', ['acc (?P<accuracy>.+)'], 'neither a pattern nor an option gives seed'),
        ('\nacc 182', ['acc (?P<accuracy>.+)'], r"line 2: accuracy is '182', expected a number from 0 to 100"),
        ('acc nan', ['acc (?P<accuracy>.+)'], r"line 1: accuracy is 'nan', expected a number from 0 to 100"),
        ('acc high', ['acc (?P<accuracy>.+)'], r"line 1: accuracy is 'high', expected a number"),
        ('e x acc 8', ['e (?P<epoch>.+) acc (?P<accuracy>.+)'], r"line 1: epoch is 'x', expected a whole number"),
        ('seed a\nacc 8', ['seed (?P<seed>.+)', 'acc (?P<accuracy>.+)'], r"seed is 'a', expected a whole number"),
    ],
)
def test_messages(text, patterns, message, tmp_path):
    with pytest.raises(ValueError, match=message) as caught:
        read_log(write(tmp_path, text), patterns, 'percent', GIVEN)
    assert '\n' not in str(caught.value)


def test_a_pattern_without_an_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, 'SECONDS', 0.2)
    path, begin = write(tmp_path, 'a' * 60 + '!\n'), time.monotonic()
    with pytest.raises(ValueError, match=r'the patterns take longer than 0\.2 s; nested repetitions such as \(a\+\)\+ do that'):
        read_log(path, [r'(a+)+$(?P<accuracy>)'], 'percent', GIVEN)
    assert time.monotonic() - begin < 5


def test_the_command_and_a_report_of_own_and_imported_runs(tmp_path):
    for subject, accuracies in enumerate(([60, 85, 80], [50, 75, 70])):
        write(tmp_path, published_log(accuracies, subject), f's{subject}.log')
    words = ['import', 'log', 's0.log', 's1.log', '--records', 'runs.jsonl', '--unit', 'percent', '--pattern', *PATTERNS]
    given = ['--method', 'kd', '--data', 'pamap2', '--best-on-test']
    done = call(*words, *given, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    first, second, count, _ = done.stdout.splitlines()
    assert first == 'pamap2: kd, fold 0, seed 1234: last epoch 80.00 %, best on the test split 85.00 %'
    assert second.startswith('pamap2: kd, fold 1, seed 1234: last epoch 70.00 %')
    assert count == '2 record(s): runs.jsonl'

    imported = read_records(tmp_path / 'runs.jsonl')
    own = [record('supervised/student', {str(fold): 10 + fold}, data='pamap2', fold=fold, seed=1234) for fold in range(2)]
    cells = {cell.name: cell for cell in cells_of([*own, *imported])}
    cell = cells['kd (imported=log)']
    assert cell.subjects('accuracy', 'last') == pytest.approx({'0': 80, '1': 70})
    table = figure_table(list(cells.values()), which='last')
    (row,) = [row for row in table.rows if row[1] == 'kd (imported=log)']
    # Two runs, two subjects, their mean and spread, the mean of folds; what needs counts of windows is unknown.
    assert row[2:5] == ('2', 2, pytest.approx(75))
    assert row[5:] == (pytest.approx(50**0.5), None, pytest.approx(75), None, None, None)
    assert not any('single class' in note for note in table.notes)
    report = build_report([*own, *imported])
    assert report.notes == (
        '2 of 4 runs are imported from logs of other programs (imported=log): figures are as the logs print them, and nothing '
        'is known of their windows and networks',
        'best of 2 imported runs is chosen on the test split, which is too high, and no result',
    )
    assert 'kd (imported=log)' in to_markdown(report)
    assert [round(c.difference.mean) for c in report.comparisons] == [28]  # 85 and 75 against 50 and 55, in points
    write_report(report, tmp_path / 'report')
    assert 'imported=log' in (tmp_path / 'report' / 'report.html').read_text()
    last_only = read_log(tmp_path / 's0.log', PATTERNS, 'percent', GIVEN)  # neither best nor macro-F1 is known
    write_report(build_report([*own, *last_only], metric='macro_f1'), tmp_path / 'report')


def test_two_logs_of_one_run_are_refused_and_nothing_is_written(tmp_path):
    for name in ('a.log', 'b.log'):
        write(tmp_path, published_log([80]), name)
    words = ['a.log', 'b.log', '--records', 'runs.jsonl', '--unit', 'percent', '--pattern', *PATTERNS, '--data', 'x']
    done = call('import', 'log', *words, '--method', 'kd', folder=tmp_path)
    message = (
        'error: several logs are of one run: method kd, data x, fold 0, seed 1234; a pattern or an option has to tell them'
    )
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.startswith(message)
    assert not (tmp_path / 'runs.jsonl').exists()
