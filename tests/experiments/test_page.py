"""The page of a report: what is in it, and that it opens, sorts, filters and prints in a browser."""

import copy
import re

import numpy as np
import pytest
from helpers import chromium
from writers.records import record

from mmkd_plugin.experiments import cells_of
from mmkd_plugin.experiments.cells import SCRATCH
from mmkd_plugin.experiments.comparison import compare, comparison_table
from mmkd_plugin.experiments.report import Report, build_report, to_html
from mmkd_plugin.experiments.report.page.artifacts import artifact_table
from mmkd_plugin.experiments.report.page.differences import strip_charts
from mmkd_plugin.experiments.report.page.svg import Scale, path, spread_labels, tag
from mmkd_plugin.experiments.statistics import Ranks
from mmkd_plugin.experiments.tables import figure_table
from mmkd_plugin.fileio import seal

HOSTILE = '<script>window.broken=1</script>"\'&'
TEACHERS = {'sig': (0.8, 70), 'gaf': (0.7, 50)}
RIGHT = [60, 62, 65, 70, 71, 75, 80, 81]
ADDED = {
    SCRATCH: [0] * 8,
    'kd': [1, 2, 0, 3, -1, 2, 1, 4],
    'fam_kd': [5, 6, 4, 9, 3, 7, -2, 8],
    HOSTILE: [-3, 2, -4, 1, 0, -6, 2, 2],
}
CURVES = {
    'epoch': [1, 2, 3],
    'loss': [2.0, 1.0, 0.5],
    'val_accuracy': [0.4, 0.6, None],
    'weight_ca/sig': [0.5, 0.6, 0.7],
    f'weight_ca/{HOSTILE}': [0.5, 0.4, 0.3],
}


def records(**fields):
    """Runs of four methods on one data set; everything that a user names has markup in the name."""
    done = []
    for method, added in ADDED.items():
        right = {
            f'{name}{HOSTILE if name == "s3" else ""}': r + a for name, r, a in zip(map('s{}'.format, range(8)), RIGHT, added)
        }
        teachers = {name: (val, dict.fromkeys(right, hits)) for name, (val, hits) in TEACHERS.items()}
        one = record(method, right, n=100, teachers=None if method == SCRATCH else teachers, **fields)
        done += [one, {**copy.deepcopy(one), 'seed': 1}]
    return done


def hostile_records():
    done = records(data=HOSTILE, curves=CURVES, classes=2)
    for one in done:
        one['classes'] = ['walk', HOSTILE]
        for row in one['networks']:
            for split in row['test'].values():
                split['absent'] = [HOSTILE]
    failed = {**done[-1], 'data': f'other {HOSTILE}', 'ended': {'state': 'failed', 'reason': f'killed {HOSTILE}'}}
    return [*done, failed]


@pytest.fixture(scope='module')
def page():
    return to_html(build_report(hostile_records(), 'kd'))


def test_the_answer_comes_first_and_every_section_is_there(page):
    body = page[page.index('<body>') :]
    report = build_report(records(), 'kd')
    assert report.answer in to_html(report)
    assert body.index('id="answer"') < body.index('<nav') < body.index('id="differences"')
    linked = re.findall(r'<a href="#(\w+)">', body)
    assert linked == re.findall(r'<section id="(\w+)">', body)
    assert '<summary>Every subject</summary>' in page


def test_no_name_is_markup(page):
    """The names of methods, data, subjects, classes, teachers and reasons are text wherever they stand."""
    assert page.count('<script>') == 1
    assert 'window.broken' in page
    assert re.search(r'[^&\w;]window\.broken', page) is None
    assert '<script>window' not in page


def test_the_page_asks_nobody_for_anything(page):
    addresses = re.findall(r'(?:src|href|action|data|poster)="([^"]*)"|url\(([^)]*)\)|@import', page)
    assert all(one.startswith(('#', 'data:,')) for one, _ in addresses)
    assert 'http' not in page.replace('http://www.w3.org/', '')


def test_the_same_records_give_the_same_page(page):
    assert to_html(build_report(hostile_records()[::-1], 'kd')) == page


def test_sections_without_data_say_so():
    one = record('kd', {'s0': 10})
    for row in one['networks']:
        row.update(params=None, macs=None)
    text = to_html(build_report([one]))
    for sentence in (
        'Nothing is compared: a comparison needs a baseline and another method, both with all their runs on the same data.',
        'The records hold no curves; runs that are trained from now on keep them.',
        'No method has all its runs with a known size.',
        'No run has two teachers whose responses can be compared.',
        'No transfer in these records weighs several teachers by their responses.',
        'The records are of one data set; ranks need two or more.',
    ):
        assert f'<p>{sentence}</p>' in text


def test_the_budget_cards_of_exported_students_are_on_the_page(tmp_path):
    latency = {'artefact': dict(p50=0.25, p95=0.5), 'pytorch': dict(p50=0.75, p95=1.0)}
    budget = dict(params=61063, macs=4051648, bytes=2048, activations=None, arena=3072, latency=latency)
    facts = dict(format='tflite', precision='float32', budget=budget)
    for name in ('student_best_tflite', 'student_best_int8', 'broken'):
        (tmp_path / f'{name}_golden.npz').write_bytes(b'')
    (tmp_path / 'student_best_tflite.json').write_bytes(seal(facts))
    onnx = {**budget, 'activations': 1536, 'arena': None}
    int8 = dict(format='onnx', precision='int8', budget=onnx, accuracy=dict(drop=-0.25))
    (tmp_path / 'student_best_int8.json').write_bytes(seal(int8))
    (tmp_path / 'broken.json').write_bytes(b'{}')
    (tmp_path / 'result.json').write_bytes(b'{}')  # is of no artefact
    done = [{**one, 'work_dir': str(tmp_path)} if one['method'] == 'kd' else one for one in records()][:3]
    table = artifact_table(cells_of(done))
    key = ('watch', 'kd', '0', '0')
    assert table.rows == (
        (*key, 'student_best_int8', 'onnx', 'int8', 61063, 4051648, 2.0, 1.5, 0.25, 0.5, 0.75, -0.25),
        (*key, 'student_best_tflite', 'tflite', 'float32', 61063, 4051648, 2.0, 3.0, 0.25, 0.5, 0.75, None),
    )
    assert table.notes[1:] == (
        f'broken.json of kd is left out: {tmp_path}/broken.json is damaged: it is not the JSON that was written',
    )
    assert '<h3>Exported students</h3>' in to_html(build_report(done))
    assert '<h3>Exported students</h3>' not in to_html(build_report(records()))


def test_a_page_of_300_runs_is_below_3_mb():
    classes, curve = [f'class {k}' for k in range(12)], [round(0.5 + k / 300, 4) for k in range(100)]
    done = []
    for fold in range(5):
        one = record('kd', {f's{10 * fold + i}': r for i, r in enumerate(RIGHT)}, fold=fold, n=100, teachers=None)
        for split in one['networks'][0]['test'].values():
            split['confusion'] = np.full((12, 12), 7).tolist()
            split['classes'] = [{**split['classes'][0], 'class': name} for name in classes]
        curves = {'epoch': list(range(1, 101)), 'loss': curve, 'val_accuracy': curve}
        for method in range(30):
            for seed in range(2):
                fingerprint = {**one['fingerprints'], 'config': f'{method:064}'}
                done.append({**one, 'method': f'method_{method}', 'seed': seed, 'curves': curves, 'classes': classes})
                done[-1]['fingerprints'] = fingerprint
    assert len(done) == 300
    cells = tuple(cells_of(done))
    comparisons = tuple(compare(cells, 'method_0'))
    tables = (comparison_table(comparisons, 'method_0', 1), figure_table(cells), figure_table(cells, which='last'))
    text = to_html(Report('', (), tables, comparisons, Ranks({}, None, {}), cells, 'method_0', 'accuracy', 1.0))
    assert len(text.encode()) < 3e6
    assert text.count('class="matrix"') == 30


@pytest.mark.parametrize(
    ('wanted', 'places'),
    [
        ([10, 50], [10, 50]),
        ([20, 20, 20], [10, 20, 30]),  # around where all would stand
        ([50, 49], [54.5, 44.5]),  # in the order of the wanted ones
        ([0, 0], [0, 10]),
        ([100, 100], [90, 100]),
        ([50] * 21, [5.0 * k for k in range(21)]),  # no room: nearer to each other
    ],
)
def test_labels_do_not_overlap(wanted, places):
    assert spread_labels(wanted, 10, 0, 100) == pytest.approx(places)


def test_subjects_in_one_place_lie_on_each_other_or_are_counted():
    def marks(count):
        right = {f's{number}': 10 for number in range(count)}
        (chart,) = strip_charts(compare(cells_of([record('kd', right), record('fam', right)]), 'kd'), 1.0)
        strip = chart.strips[0].drawing
        return strip.count('class="subject circle"'), re.findall(r'class="count".*?>(\d+)<', strip)

    assert marks(12) == (12, [])
    assert marks(13) == (1, ['13'])


def test_ticks_are_round():
    assert Scale(-0.3, 1.1, 0, 1).ticks() == [0, 0.5, 1]
    assert Scale(-7, 23, 0, 1).ticks(6) == [-5, 0, 5, 10, 15, 20]
    assert Scale(1.5e5, 3e6, 0, 1, log=True).ticks() == [2e5, 5e5, 1e6, 2e6]
    assert Scale(1, 100, 0, 10, log=True)(10) == 5


def test_drawings_by_hand():
    assert tag('text', 'a<b', title='"x"', class_='k', stroke_width=1.25) == (
        '<text class="k" stroke-width="1.2"><title>&quot;x&quot;</title>a&lt;b</text>'
    )
    assert path([(0, 1.0), (1, None), (2, 3.04)]) == '<path d="M0 1M2 3"/>'


@pytest.fixture(scope='module')
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def opened(browser, page, tmp_path):
    """The page in a window; nothing is asked of a server, and nothing is said on the console."""
    (tmp_path / 'report.html').write_text(page, encoding='utf-8')
    window = browser.new_page(viewport={'width': 1400, 'height': 900})
    asked, told = [], []
    window.on('request', lambda request: asked.append(request.url))
    window.on('console', lambda message: told.append(message.text))
    window.on('pageerror', lambda error: told.append(str(error)))
    window.goto(f'file://{tmp_path}/report.html')
    yield window
    assert [url for url in asked if not url.startswith('data:')] == [f'file://{tmp_path}/report.html']
    assert told == []
    assert window.evaluate('window.broken') is None
    window.close()


def column(window, table, index):
    return window.eval_on_selector_all(
        f'#{table} tbody tr:not([hidden])', f'rows => rows.map(r => r.cells[{index}].textContent)'
    )


def test_a_table_sorts_by_mouse_and_keyboard(opened):
    heads = opened.locator('#table-comparison th')
    difference = heads.filter(has_text='difference')
    assert difference.get_attribute('aria-sort') == 'none'
    difference.locator('button').click()
    numbers = [float(text.replace('−', '-')) for text in column(opened, 'table-comparison', 2)]
    assert len(numbers) == 3
    assert numbers == sorted(numbers)
    assert difference.get_attribute('aria-sort') == 'ascending'
    opened.keyboard.press('Enter')  # the button has the focus
    assert difference.get_attribute('aria-sort') == 'descending'
    assert [float(text.replace('−', '-')) for text in column(opened, 'table-comparison', 2)] == numbers[::-1]
    opened.keyboard.press('Shift+Tab')
    opened.keyboard.press('Space')  # the head on its left: names
    names = column(opened, 'table-comparison', 1)
    assert names == sorted(names, key=str.lower)
    assert [head.get_attribute('aria-sort') for head in heads.all()[:3]] == ['none', 'ascending', 'none']


def test_a_row_without_a_value_is_last_either_way(opened):
    button = opened.locator('#table-accuracy_best th', has_text='SD of seeds').locator('button')
    for _ in range(2):
        button.click()
        values = column(opened, 'table-accuracy_best', 6)
        lacking = values.count('–')
        assert 0 < lacking < len(values)
        assert values[-lacking:] == ['–'] * lacking


def test_a_table_is_filtered_by_words(opened):
    field = opened.get_by_label('Filter rows').last
    assert field.get_attribute('data-table') == 'table-runs'
    before = len(column(opened, 'table-runs', 0))
    field.fill('script FAM')
    assert set(column(opened, 'table-runs', 1)) == {'fam_kd'}
    status = opened.locator('output[for=find-runs]')
    assert status.text_content() == f'2 of {before} rows'
    field.fill('nowhere')
    assert column(opened, 'table-runs', 1) == []
    field.fill('')
    assert status.text_content() == f'{before} rows'


@pytest.mark.parametrize('width', [360, 1400])
def test_the_page_fits_its_window(opened, width):
    opened.set_viewport_size({'width': width, 'height': 800})
    assert opened.evaluate('document.documentElement.scrollWidth') == width
    overlapping = opened.evaluate(
        """() => [...document.querySelectorAll('main svg')].flatMap(svg => {
            const texts = [...svg.querySelectorAll('text')].map(t => [t.textContent, t.getBoundingClientRect()]);
            return texts.flatMap(([a, r], i) => texts.slice(i + 1).filter(([, s]) =>
                r.left < s.right - 1 && s.left < r.right - 1 && r.top < s.bottom - 4 && s.top < r.bottom - 4).map(([b]) => [a, b]));
        })"""
    )
    assert overlapping == []


def test_focus_is_seen_and_folded_parts_are_printed(opened):
    opened.keyboard.press('Tab')
    assert opened.evaluate('document.activeElement.className') == 'skip'
    opened.keyboard.press('Tab')
    assert opened.evaluate('getComputedStyle(document.activeElement).outlineStyle') == 'solid'
    closed = opened.locator('details:not([open])')
    folded = closed.count()
    assert folded > 0
    opened.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert closed.count() == 0
    opened.emulate_media(media='print')
    assert not opened.locator('nav').is_visible()
    assert not opened.get_by_label('Filter rows').last.is_visible()
    opened.evaluate("dispatchEvent(new Event('afterprint'))")
    assert closed.count() == folded
