"""A page per method says what its configs say, and its figures come from tables that commands have written."""

import re
from pathlib import Path

import benchmark_tables
import figures
import pytest
from leaves import config_of, methods
from method_pages import figures_part, method_pages, page_of

DOCS = Path(__file__).parents[2] / 'docs'
LEAVES = methods()
SHIPPED = [leaf for leaf in LEAVES if leaf.path.parent.name == 'configs']


def page(name):
    return (DOCS / 'methods' / f'{name}.md').read_text(encoding='utf-8')


def test_every_method_has_a_page_and_every_page_a_method():
    pages = {page_of(leaf, LEAVES): leaf.method for leaf in LEAVES}
    assert pages.keys() == {path.stem for path in (DOCS / 'methods').glob('*.md')}
    for name, method in pages.items():
        assert page(name).startswith(f'# {method}\n')
        sections = dict(part.split('\n', 1) for part in page(name).split('\n## ')[1:])
        assert list(sections) == ['Formula', 'Config', 'Departures', 'Weight', 'Cost and figures'], name
        assert [title for title, text in sections.items() if len(text.split()) < 8] == [], name


def test_a_method_without_a_page_is_named(tmp_path):
    (tmp_path / 'tables').mkdir()
    (tmp_path / 'tables' / 'steps.csv').write_text('config,cost\n')
    with pytest.raises(ValueError, match='ae_kd.md is missing: AE-KD needs a page, as .*rkd.md is one'):
        method_pages(LEAVES, tmp_path)


@pytest.mark.parametrize('leaf', SHIPPED, ids=lambda leaf: leaf.path.stem)
def test_a_page_states_the_transfers_and_weights_of_the_resolved_config(leaf):
    text = page(page_of(leaf, LEAVES)).split(f'\n    mmkd train {leaf.path.stem}\n')[1]
    table, _, rest = text.partition('Weight of the label loss: ')
    rows = re.findall(r'^\| `(\w+)` \| (\S+|`.+?`) \| (`.+?`) \| `(\S+?)` \| `(\w+)', table, re.M)
    stated = {name: (re.findall('`(.+?)`', source), target, kind) for name, _, source, target, kind in rows}
    weights = {name: weight.strip('`') for name, weight, *_ in rows}
    model = config_of(leaf.path).model
    assert stated == {
        name: ([transfer.source] if isinstance(transfer.source, str) else transfer.source, transfer.target, transfer.type)
        for name, transfer in model.transfers.items()
    }
    for name, transfer in model.transfers.items():
        if isinstance(transfer.weight, dict):
            numbers = dict(re.findall(r'(\w+)=([\d.]+)', weights[name]))
            assert {'type': weights[name].split('(')[0], **{key: float(n) for key, n in numbers.items()}} == transfer.weight
        else:
            assert float(weights[name]) == transfer.weight
    losses = {name: float(weight) for weight, name in re.findall(r'([\d.]+) of `(\w+)`', rest.split('\n')[0])}
    assert losses == {name: learner.get('ce_weight', 1.0) for name, learner in model.learners.items()}


@pytest.mark.parametrize(
    ('name', 'row'), figures.read_tuning(DOCS).items(), ids=lambda value: value if isinstance(value, str) else ''
)
def test_a_config_ships_the_best_trial_of_its_search(name, row):
    path = DOCS.parent / 'configs' / f'{name}.py'
    for setting in row['settings'].split(', '):
        key, value = setting.split('=')
        assert float(f'{float(value):.2g}') == pytest.approx(value_at(config_of(path), key)), key
    best = f'{float(row["best accuracy on validation"]):.1f} % on validation'
    assert f'# Trial {row["trial"]} of {row["trials"]} by configs/searches/all_methods.py: {best}' in path.read_text()


def value_at(cfg, key):
    for part in key.split('.'):
        cfg = cfg[part]
    return cfg


def test_every_config_has_a_cost():
    assert figures.read_costs(DOCS).keys() == {*(leaf.path.stem for leaf in SHIPPED), 'supervised/student'}


@pytest.fixture
def docs(tmp_path):
    """The folder docs with the tables of a report."""
    folder = tmp_path / 'tables' / 'watch_all_methods'
    folder.mkdir(parents=True)
    (tmp_path / 'tables' / 'steps.csv').write_text('config,cost\nkd,1.00\nat,1.03\nsp,1.01\n')
    head = 'data,network,runs,subjects,mean of subjects,SD of subjects,SD of seeds\n'
    rows = 'w,teacher sig,5,10,79.1,6,\nw,supervised/student,10,10,80.126,4.5,0.25\nw,kd,10,10,81.5,4,\nw,at,9,,,,\nw,kd: image,10,10,70,4,\n'
    (folder / 'accuracy_best.csv').write_text(head + rows)
    (folder / 'accuracy_last.csv').write_text(head + rows.replace('81.5', '82.75'))
    (folder / 'comparison.csv').write_text(
        'data,network,difference,low,high,verdict\nw,kd,1.374,-0.5,3.25,undecided\nw,at,,,,undecided\n'
    )
    (folder / 'cost.csv').write_text('data,method,runs,seconds of a run\nw,supervised/student,10,27.4\nw,kd,10,27.6\nw,at,9,\n')
    return tmp_path


def test_figures_are_rows_of_the_tables_of_a_report(docs):
    kd = '| `kd` | 81.50 | 4.00 | – | 82.75 | +1.37 (-0.50 to 3.25) | undecided | 28 |'
    student = '| `supervised/student` | 80.13 | 4.50 | 0.25 | 80.13 | – | – | 27 |'
    part = figures_part(['kd', 'full_kd'], figures.read_costs(docs), figures.read_figures(docs))
    assert [line for line in part.splitlines() if line.startswith('| `')] == [kd, student]
    assert '): 1.00 for `kd`.\n' in part
    table = figures.all_methods_table(docs)
    assert [line for line in table.splitlines() if line.startswith('| `')] == [kd, f'| `at` {"| – " * 7}|', student]


def test_tuning_is_what_the_search_has_written(docs):
    assert figures.tuning_part(['kd'], figures.read_tuning(docs)) == ''
    (docs / 'tables' / 'tuning').mkdir()
    (docs / 'tables' / 'tuning' / 'budget.csv').write_text(
        'data,method,runs of a trial,trials,complete,pruned,failed,best accuracy on validation,of its runs,trial,settings\n'
        'u,supervised/student on u and w,2,12,8,4,0,87.394,"92.50, 82.29",0,lr=0.05\n'
        'u,kd on u and w,2,12,7,5,0,88.1,"94.00, 82.20",3,"lr=0.02, tau=3"\n'
    )
    part = figures.tuning_part(['full_kd', 'kd'], figures.read_tuning(docs))
    assert part.startswith('On validation, best of 12 trials (`mmkd search all_methods`; ')
    assert part.endswith(': `kd` 88.10 % (94.00, 82.20), `supervised/student` 87.39 % (92.50, 82.29).')
    assert figures.tuning_table(docs).splitlines()[2:] == [
        '| `kd` | 88.10 | 94.00, 82.20 | 7, 5, 0 | lr=0.02,<br>tau=3 |',
        '| `supervised/student` | 87.39 | 92.50, 82.29 | 8, 4, 0 | lr=0.05 |',
    ]


OVERVIEW = """network,u,w,mean,over supervised/student
kd,{kd},82.004,{mean},{over}
supervised/student,88.0,81.0,84.5,
at,80.0,,,
"""
COMPARISON = """data,network,difference,low,high
all,kd,1.2,0.1,2.2
u,kd,1.5,-0.25,3.25
u,at,-8,,
w,kd,1.004,,
"""


def test_the_benchmark_stands_by_data_set_and_by_epoch(docs):
    assert benchmark_tables.benchmark_part(['kd'], benchmark_tables.read_benchmark(docs), 'results.md') == ''
    for epoch, figures_of_kd in (('best', ('89.5', '85.752', '1.252')), ('last', ('90', '86.002', '1.502'))):
        folder = docs / 'tables' / 'benchmark' / epoch
        folder.mkdir(parents=True)
        (folder / 'overview.csv').write_text(OVERVIEW.format_map(dict(zip(('kd', 'mean', 'over'), figures_of_kd))))
        if epoch == 'last':
            with pytest.raises(ValueError, match=r'last/comparison\.csv is missing: copy it from the folder of the report'):
                benchmark_tables.read_benchmark(docs)
        (folder / 'comparison.csv').write_text(COMPARISON)
    benchmark = benchmark_tables.read_benchmark(docs)
    assert benchmark_tables.benchmark_table(benchmark).splitlines() == [
        '| config | `u` | `w` | mean, best on validation | over the student alone | mean, last epoch | over the student alone |',
        '|---|---:|---:|---:|---:|---:|---:|',
        '| `kd` | 89.50 | 82.00 | 85.75 | +1.25 | 86.00 | +1.50 |',
        '| `supervised/student` | 88.00 | 81.00 | 84.50 | – | 84.50 | – |',
        '| `at` | 80.00 | – | – | – | – | – |',
    ]
    assert benchmark_tables.benchmark_part(['kd', 'dkd'], benchmark, 'results.md').splitlines()[2:5] == [
        '| `kd` | `u` | 89.50 | +1.50 (-0.25 to 3.25) | 90.00 | +1.50 (-0.25 to 3.25) |',
        '| `kd` | `w` | 82.00 | +1.00 | 82.00 | +1.00 |',
        '| `kd` | mean | 85.75 | +1.25 | 86.00 | +1.50 |',
    ]
    assert benchmark_tables.benchmark_part(['dkd'], benchmark, 'results.md') == ''


def test_costs_stand_in_columns(docs):
    rows = figures.steps_table(docs, columns=2).splitlines()[2:]
    assert rows == ['| `kd` | 1.00 | `sp` | 1.01 |', '| `at` | 1.03 |']


def test_a_table_that_was_not_copied_is_named(docs):
    (docs / 'tables' / 'watch_all_methods' / 'cost.csv').unlink()
    with pytest.raises(ValueError, match=r'watch_all_methods lacks cost\.csv: copy these tables from the folder of the report'):
        figures.read_figures(docs)


def test_pages_say_where_there_are_no_figures():
    part = figures_part(['dkd'], {}, {})
    assert part.split('): ')[1] == f'not measured.\n\n{figures.ABSENT}'
