"""Reports of records that were made for the purpose: the sentence at the top, the comparisons, the three formats."""

import csv
import io
import random
import sys

import numpy as np
import pytest
from helpers import call
from scipy import stats
from statsmodels.stats.multitest import multipletests
from writers.records import record

from mmkd_plugin.experiments import Column, Table, append_record, cells_of
from mmkd_plugin.experiments.cells import SCRATCH
from mmkd_plugin.experiments.comparison import compare
from mmkd_plugin.experiments.report import build_report, draw_ranks, to_csv, to_html, to_latex, to_markdown
from mmkd_plugin.experiments.report.markdown import format_value
from mmkd_plugin.experiments.report.page.differences import strip_charts

# Right windows of 100 of eight subjects: kd, and what other methods add.
KD = [60, 62, 65, 70, 71, 75, 80, 81]
ABOVE = [2, 3, 1, 4, 2, 3, 5, 1]
SAME = [0, 1, -1, 0, 0, 1, 0, -1]
MIXED = [9, -8, 4, -3, 6, -7, 1, 0]


def runs(method, added=(0,) * 8, data='watch', first=0, seeds=(0,)):
    """Runs of one fold with eight subjects."""
    right = {f's{first + i}': k + a for i, (k, a) in enumerate(zip(KD, added))}
    return [record(method, right, data=data, seed=seed, n=100) for seed in seeds]


def answer(*records, baseline='kd', **options):
    return build_report([r for part in records for r in part], baseline, **options).answer


def test_the_answer_is_a_sentence_with_the_interval_and_the_subjects():
    low, high = stats.bootstrap(
        (np.array(ABOVE, float),), np.mean, method='BCa', random_state=np.random.default_rng(0)
    ).confidence_interval
    sentence = f'On watch fam is 2.6 points above kd, interval {low:.1f} to {high:.1f}, 8 of 8 subjects gain.'
    assert answer(runs('kd'), runs('fam', ABOVE)) == sentence


def test_data_sets_are_taken_together():
    parts = [runs(m, added, data) for data in ('a', 'b', 'c') for m, added in (('kd', (0,) * 8), ('fam', ABOVE))]
    assert answer(*parts).startswith('On 3 data sets fam is 2.6 points above kd, interval ')
    assert answer(*parts).endswith(', 24 of 24 subjects gain.')


def test_the_overview_counts_every_data_set_once():
    parts = [runs(m, added, data) for data in ('a', 'b') for m, added in (('kd', (0,) * 8), ('fam', ABOVE))]
    parts += [runs('kd', (10,) * 8, 'c'), runs('fam', (10,) * 8, 'c', first=0), runs('at', data='a')]
    report = build_report([r for part in parts for r in part], 'kd')
    table = next(each for each in report.tables if each.name == 'overview')
    assert [column.name for column in table.columns] == ['network', 'a', 'b', 'c', 'mean', 'over kd']
    rows = {row[0]: row[1:] for row in table.rows}
    gain = np.mean(ABOVE)
    assert list(rows) == ['fam', 'kd', 'at']
    assert rows['fam'] == pytest.approx((70.5 + gain, 70.5 + gain, 80.5, 221.5 / 3 + 2 * gain / 3, 2 * gain / 3))
    assert rows['kd'][:-1] == pytest.approx((70.5, 70.5, 80.5, 221.5 / 3))
    assert rows['kd'][-1] is None
    assert rows['at'] == (pytest.approx(70.5), None, None, None, None)
    assert all(each.name != 'overview' for each in build_report(runs('kd'), 'kd').tables)


def test_the_answer_can_be_below_equivalent_and_undecided():
    lost = [-a for a in ABOVE]
    assert answer(runs('kd'), runs('fam', lost)).startswith('On watch fam is 2.6 points below kd, interval −3.')
    assert answer(runs('kd'), runs('fam', lost)).endswith(', 8 of 8 subjects lose.')
    assert answer(runs('kd'), runs('fam', SAME)) == (
        'On watch fam and kd are equivalent: the difference is 0.0 points, interval −0.5 to 0.5, within ±1; 2 of 8 subjects gain, 2 lose.'
    )
    assert answer(runs('kd'), runs('fam', SAME), equivalence=0.1).startswith(
        'On watch no difference between fam and kd can be told: the mean difference is 0.0 points, interval −0.5 to 0.5, 2 of 8'
    )
    assert answer(runs('kd'), runs('fam', MIXED)).startswith('On watch no difference between fam and kd can be told: the mean')


def test_degenerate_answers_are_sentences_too():
    one = [record('kd', {'s0': 10}), record('fam', {'s0': 12})]
    assert answer(one) == (
        'On watch no difference between fam and kd can be told (one subject: no interval and no test): '
        'the mean difference is 10.0 points, one subject.'
    )
    two = [record('kd', {'s0': 10, 's1': 10}), record('fam', {'s0': 12, 's1': 12})]
    assert '(two subjects: no interval and no test): the mean difference is 10.0 points, 2 of 2 subjects gain.' in answer(two)
    assert answer(runs('kd'), runs('fam')).startswith('On watch fam and kd are equivalent: the difference is 0.0 points')
    assert answer([record('kd', {'s0': 10}), record('fam', {'s1': 12})]) == 'On watch fam and kd have no subject in common.'
    assert answer(runs('kd')) == 'Nothing can be compared with kd: no other method has all its runs on the same data.'


def test_of_several_methods_the_highest_is_named_and_the_others_counted():
    text = answer(runs('kd'), runs('fam', ABOVE), runs('at', SAME), runs('sp', MIXED), runs('rkd', [-a for a in ABOVE]))
    assert text.startswith('On watch fam is 2.6 points above kd')
    assert text.endswith('This is the highest of 4 methods, which are: 1 above, 1 below, 1 equivalent, 1 undecided.')


def test_p_values_are_corrected_over_the_methods_of_a_data_set():
    added = {'fam': ABOVE, 'sp': MIXED, 'at': SAME}
    cells = cells_of([*runs('kd'), *(r for name, a in added.items() for r in runs(name, a))])
    comparisons = {c.method: c for c in compare(cells, 'kd')}
    plain = [stats.wilcoxon(added[name]).pvalue for name in comparisons]
    assert [c.difference.p for c in comparisons.values()] == pytest.approx(plain)
    assert [c.p for c in comparisons.values()] == pytest.approx(multipletests(plain, method='holm')[1])
    assert comparisons['fam'].subjects['watch', 's3'] == pytest.approx(4)


def test_a_method_may_have_the_name_of_its_data():
    cells = cells_of([*runs('kd'), *runs('watch', ABOVE)])
    assert [comparison.method for comparison in compare(cells, 'kd')] == ['watch']


def test_seeds_are_averaged_within_a_subject():
    """Seeds that go up and down by the same number leave no difference; n is of subjects, not of runs."""
    up, down = ([sign * a for a in ABOVE] for sign in (1, -1))
    fam = [*runs('fam', up, seeds=(0,)), *runs('fam', down, seeds=(1,))]
    (comparison,) = compare(cells_of([*runs('kd', seeds=(0, 1)), *fam]), 'kd')
    assert (comparison.difference.n, comparison.difference.mean, comparison.difference.note) == (8, 0, 'no subject differs')


def test_the_last_digits_of_shares_are_no_difference_in_a_drawing_either():
    """The mean of 19 and 21 of 81 windows, in points, is 4e-15 below 20 of 81."""
    right = {'kd': (20, 20), 'fam': (19, 21)}
    records = [record(name, {'s1': r}, seed=seed, n=81) for name, seeds in right.items() for seed, r in enumerate(seeds)]
    cells = cells_of(records)
    shares = {cell.name: cell.subjects('accuracy', 'best') for cell in cells}
    assert shares['fam'] != shares['kd']
    (comparison,) = compare(cells, 'kd')
    assert comparison.subjects == {('watch', 's1'): 0.0}
    (chart,) = strip_charts([comparison], 1.0)
    assert chart.strips[0].drawing.count('class="subject circle"') == 1


def test_a_cell_with_missing_runs_is_not_compared():
    report = build_report([*runs('kd', seeds=(0, 1)), *runs('fam', ABOVE), *runs('at', SAME, seeds=(0, 1))], 'kd')
    assert [comparison.method for comparison in report.comparisons] == ['at']
    assert report.tables[0].name == 'missing'
    assert '1 method(s) lack runs: a dash stands for their figures, and they are not compared' in report.notes
    lacking = build_report([*runs('kd', seeds=(0,)), *runs('fam', ABOVE, seeds=(0, 1))], 'kd')
    assert 'watch: kd has 1 of 2 runs, so nothing is compared with it there' in lacking.notes


def test_the_student_without_teachers_is_the_baseline_unless_another_is_named():
    report = build_report([*runs(SCRATCH), *runs('kd', ABOVE)])
    assert report.answer.startswith(f'On watch kd is 2.6 points above {SCRATCH}')
    none = build_report(runs('kd'))
    assert not any(table.name == 'missing' for table in none.tables)  # nobody asked for its runs
    assert not any('lack runs' in note for note in none.notes)
    assert (
        none.answer
        == f'Nothing is compared: {SCRATCH} has no complete runs, and no other baseline is named; the methods are kd.'
    )
    assert f'watch: the student without teachers ({SCRATCH}) has no runs; `mmkd sweep {SCRATCH}` makes them' in none.notes


def test_a_reader_is_told_what_makes_figures_doubtful():
    other = runs('fam', ABOVE)[0]
    other.update(quick=True, fingerprints={'config': 'x', 'data': 'other windows'}, code={'version': '2'})
    notes = build_report([*runs('kd'), other], 'kd').notes
    assert '1 of 2 runs are first looks (--quick): their figures are no result' in notes
    assert 'watch, fold 0: runs have seen 2 different sets of windows; their figures do not compare' in notes
    assert 'the runs are of 2 versions of the code' in notes


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'baseline': 'kdd'}, "there is no method 'kdd'; did you mean 'kd'\\? The methods are kd"),
        ({'metric': 'auroc'}, "metric must be one of accuracy, macro_f1, got 'auroc'"),
        ({'which': 'first'}, "which must be one of best, last, got 'first'"),
        ({'equivalence': -1}, 'equivalence must be a number of points, at least 0; got -1'),
        ({'equivalence': float('nan')}, 'equivalence must be a number of points, at least 0; got nan'),
    ],
)
def test_a_wrong_option_is_one_sentence(options, message):
    with pytest.raises(ValueError, match=message):
        build_report(runs('kd'), **options)
    with pytest.raises(ValueError, match='there is no record of a run to report on'):
        build_report([])


def test_the_last_epoch_can_be_compared():
    best, last = ({f's{i}': kd + added for i, (kd, added) in enumerate(zip(KD, gains))} for gains in (SAME, ABOVE))
    records = [*runs('kd'), record('fam', best, last=last, n=100)]
    assert build_report(records, 'kd').answer.startswith('On watch fam and kd are equivalent')
    report = build_report(records, 'kd', which='last')
    assert report.answer.startswith('At the last epoch, on watch fam is 2.6 points above kd')
    titles = {table.name: table.title for table in report.tables}
    assert titles['comparison'] == 'Against kd, last epoch'
    assert titles['measures_last'] == 'Further measures, last epoch'
    page = to_html(report)
    assert 'accuracy, last epoch' in page
    assert 'over all folds and seeds, last epoch' in page


def three_data_sets():
    return [r for d in 'abc' for m, a in ((SCRATCH, SAME), ('kd', (0,) * 8), ('fam', ABOVE)) for r in runs(m, a, d)]


def test_ranks_over_data_sets_and_their_diagram():
    report = build_report(three_data_sets(), 'kd')
    assert report.ranks.ranks == {'fam': 1, 'kd': 2.5, SCRATCH: 2.5}
    names = [table.name for table in report.tables]
    assert names[-4:] == ['ranks', 'nemenyi', 'variance', 'cost']
    pytest.importorskip('matplotlib', reason="matplotlib is not installed: pip install 'mmkd_plugin[plot]'")
    drawing = draw_ranks(report.ranks)
    assert drawing == draw_ranks(report.ranks)
    assert b'<svg' in drawing
    assert b'fam (1)' in drawing
    assert draw_ranks(build_report(runs('kd'), 'kd').ranks) is None


STRANGE = Table(
    'odd',
    'A & B: 50 %',
    (Column('name'), Column('value', 2), Column('count', 0)),
    (('a_b|c', -1.234, 1234), ('±1', None, None), ('x', -0.001, 5)),
    ('one note',),
)


def test_markdown_by_hand():
    assert to_markdown(STRANGE).splitlines() == [
        '| name | value | count |',
        '|---|---:|---:|',
        '| a_b\\|c | -1.23 | 1,234 |',
        '| ±1 | – | – |',
        '| x | 0.00 | 5 |',
        '',
        'One note.',
    ]


def test_a_small_p_value_is_not_zero():
    assert [format_value(p, 4) for p in (0.00001, 0.0, 0.00006, 1.0)] == ['<0.0001', '0.0000', '0.0001', '1.0000']


def test_csv_has_numbers_in_full():
    rows = list(csv.reader(io.StringIO(to_csv(STRANGE))))
    assert rows == [['name', 'value', 'count'], ['a_b|c', '-1.234', '1234'], ['±1', '', ''], ['x', '-0.001', '5']]


def test_latex_by_hand():
    assert to_latex(STRANGE).splitlines() == [
        '% needs \\usepackage{booktabs}',
        '\\begin{table}',
        '\\centering',
        '\\caption{A \\& B: 50 \\%. One note.}',
        '\\label{tab:odd}',
        '\\begin{tabular}{lrr}',
        '\\toprule',
        'name & value & count \\\\',
        '\\midrule',
        'a\\_b\\textbar{}c & $-1.23$ & 1,234 \\\\',
        '$\\pm$1 & -- & -- \\\\',
        'x & 0.00 & 5 \\\\',
        '\\bottomrule',
        '\\end{tabular}',
        '\\end{table}',
    ]


@pytest.fixture
def sweep(tmp_path):
    for r in three_data_sets():
        append_record(r, tmp_path / 'sweep' / 'runs.jsonl')
    return tmp_path / 'sweep'


def test_the_command_prints_markdown_and_writes_all_formats(sweep, tmp_path):
    done = call('report', sweep, '--baseline', 'kd', folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, '')
    text = (sweep / 'report' / 'report.md').read_text()
    assert text in done.stdout
    assert text.splitlines()[2].startswith('On 3 data sets fam is 2.6 points above kd, interval ')
    written = {path.name for path in (sweep / 'report').iterdir()}
    names = ['comparison', 'accuracy_best', 'accuracy_last', 'measures_best', 'ranks', 'nemenyi', 'variance']
    assert {f'{name}.{ending}' for name in names for ending in ('csv', 'tex')} | {'report.md'} <= written
    assert 'nan' not in text.lower()


def test_the_order_of_the_records_does_not_matter(sweep, tmp_path):
    lines = (sweep / 'runs.jsonl').read_text().splitlines()
    random.Random(0).shuffle(lines)
    (tmp_path / 'mixed.jsonl').write_text('\n'.join(lines))
    one = call('report', sweep, '--folder', 'one', folder=tmp_path)
    two = call('report', 'mixed.jsonl', '--folder', 'two', folder=tmp_path)
    assert one.returncode == two.returncode == 0
    files = sorted(path.name for path in (tmp_path / 'one').iterdir())
    assert files == sorted(path.name for path in (tmp_path / 'two').iterdir())
    assert all((tmp_path / 'one' / name).read_bytes() == (tmp_path / 'two' / name).read_bytes() for name in files)


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['none.jsonl'], 'error: there are no records none.jsonl; `mmkd sweep` writes them'),
        (['empty'], 'error: empty/runs.jsonl: there is no record of a run to report on'),
        (['sweep', '--seeds', '7'], 'error: no run has the seed 7; the records have 0'),
        (['sweep', '--baseline', 'kdd'], "error: there is no method 'kdd'; did you mean 'kd'?"),
    ],
)
def test_what_cannot_be_reported_is_one_sentence(words, message, sweep, tmp_path):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'empty' / 'runs.jsonl').write_text('')
    done = call('report', *words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.startswith(message)
    assert not list(tmp_path.rglob('report.md'))


def test_without_the_extra_the_command_says_what_to_install(sweep, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'statsmodels.stats.multitest', None)
    done = call('report', sweep, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == "error: a report needs statsmodels, which is not installed. Run: pip install 'mmkd_plugin[report]'\n"


def test_a_torn_line_is_said_and_left_out(sweep, tmp_path):
    with open(sweep / 'runs.jsonl', 'a') as file:
        file.write('{"version": 1, "meth')
    done = call('report', sweep, folder=tmp_path)
    assert done.returncode == 0
    assert done.stderr == f'{sweep}/runs.jsonl, line 10 is not the whole record of a run and is left out\n'
