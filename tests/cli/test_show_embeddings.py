"""Embeddings of windows by student and teachers: their table, their plane, and marks that need no colour."""

import re

import numpy as np
import pytest
from helpers import CONFIGS
from printed import refused, rows_of

from mmkd_plugin.apis import load_config, network_embeddings
from mmkd_plugin.cli.arguments import parse_options
from mmkd_plugin.visualization import ShownEmbedding, draw_embeddings

LEAF = CONFIGS / 'basic_motions' / 'fam_kd.py'

pytest.importorskip('matplotlib', reason="matplotlib is not installed: pip install 'mmkd_plugin[plot]'")


def test_embeddings_are_placed_by_class_and_by_subject(networks, mmkd, tmp_path):
    options, student = networks
    words = ['show', 'embeddings', LEAF, student, '--work-dir', 'run', '--cfg-options', *options]
    done = mmkd(*words[:4], '--most', 20, '--out', 'a.svg', *words[4:])
    assert (done.returncode, done.stderr) == (0, '')
    embeddings = network_embeddings(load_config(LEAF, cfg_options=parse_options(options)), student)
    assert [(each.name, each.role, each.values.shape) for each in embeddings] == [
        ('student', 'student', (40, 64)),
        ('sig', 'teacher', (40, 192)),
        ('gaf', 'teacher', (40, 64)),
    ]
    assert embeddings[0].by_class()[7] == 'Standing'
    assert embeddings[0].subjects == tuple(f'test_{number:02}' for number in range(40))
    words_drawn = set(re.findall(r'<text[^>]*>([^<]+)</text>', (tmp_path / 'a.svg').read_text()))
    assert {'class', 'subject', 'Badminton', 'Walking', 'test_00', 'test_39'} <= words_drawn
    rows = rows_of(done.stdout, 'embeddings of 20 windows of basic_motions')
    assert [row[:3] for row in rows] == [['student', 'student', '64'], ['sig', 'teacher', '192'], ['gaf', 'teacher', '64']]
    for name, row in zip(('student', 'teacher sig', 'teacher gaf'), rows):
        (drawn,) = [text.split()[-1] for text in words_drawn if text.startswith(f'{name} by class, silhouette ')]
        assert float(drawn) == pytest.approx(float(row[3]), abs=0.0055)
        assert f'{name} by subject' in words_drawn  # one window each has no silhouette
    refused(mmkd(*words[:4], '--most', 4, *words[4:]), 'the number of windows must be at least 5, got 4')


def test_groups_are_told_apart_without_colour():
    """Of more groups than there are marks, those with most windows have one; the others and windows of no group are counted."""
    names = tuple(f'{number:02}' for number in range(26)) * 2 + ('25', '25', '')
    places = np.random.default_rng(0).normal(size=(len(names), 2))
    figure = draw_embeddings([ShownEmbedding('s', 'student', places, {'subject': names}, {'subject': None})], 'kd')
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    assert list(lines) == ['2 more', *(f'{number:02}' for number in range(23)), '25']
    looks = {(line.get_marker(), line.get_fillstyle()) for label, line in lines.items() if label != '2 more'}
    assert len(looks) == 24
    assert [len(lines[label].get_xdata()) for label in ('2 more', '00', '25')] == [5, 2, 4]
