import re

import numpy as np
import pytest
from writers.damage import edit_field
from writers.tables import LAYOUT, rows_of, write

from mmkd_plugin.datasets.readers.tables import Tables


def test_gaps_in_time_begin_a_new_recording(tmp_path):
    rows = rows_of('ann')
    rows = rows[:10] + rows[12:40] + rows[45:]  # 2 and 5 samples are missing
    write(tmp_path, rows)
    result = Tables(tmp_path).read_all()
    assert [(r.name, len(r.signal)) for r in result.recordings] == [('a.csv:2', 10), ('a.csv:12', 28), ('a.csv:40', 15)]
    sentence = (
        r'a.csv:12: 2 gap(s) from here on, of 5 at the longest: more than 0 sample(s), after each of which a new recording'
    )
    assert sentence in result.notes[0]
    write(tmp_path, rows, layout=LAYOUT.replace('unit: ms', 'unit: ms, gap: 2'))
    result = Tables(tmp_path).read_all()
    assert [(r.name, len(r.signal)) for r in result.recordings] == [('a.csv:2', 38), ('a.csv:40', 15)]
    assert 'a.csv:40: 1 gap(s) from here on, of 5 at the longest: more than 2 sample(s)' in result.notes[0]
    assert (
        'a.csv:12: 1 gap(s) from here on, of 2 at the longest: at most 2 sample(s), over which the rows are' in result.notes[1]
    )


@pytest.mark.parametrize(
    ('unit', 'stamp'),
    [
        ('s', lambda ms: 1.7e9 + ms / 1000),
        ('ms', lambda ms: ms),
        ('ns', lambda ms: 1_700_000_000_000_000_000 + ms * 1_000_000),
        (
            'iso',
            lambda ms: f'2024-03-31 01:59:{59 + ms / 1000:09.6f}' if ms < 1000 else f'2024-03-31T02:00:{ms / 1000 - 1:09.6f}',
        ),
        ('iso', lambda ms: f'2024-03-31T01:5{8 + ms // 60_000}:{ms % 60_000 / 1000:06.3f}+01:00'),
    ],
)
def test_units_of_time(unit, stamp, tmp_path):
    rows = [[stamp(row[0]), *row[1:]] for row in rows_of('ann', 90) if row[0] != 600]
    write(tmp_path, rows, layout=LAYOUT.replace('ms', unit))
    result = Tables(tmp_path).read_all()
    assert [len(r.signal) for r in result.recordings] == [30, 59]
    assert len(result.notes) == 1


def test_the_rate_is_compared_with_time(tmp_path):
    write(tmp_path, rows_of('ann'), layout=LAYOUT.replace('ms', 's'))
    message = r"a\.csv:2: t steps by 20 s, 0\.05 Hz, expected 0\.02 s by the rate of 50 Hz; is its unit 's'\?"
    with pytest.raises(ValueError, match=message):
        Tables(tmp_path).read_all()
    rows = [[round(i * 1000 / 300), *row[1:]] for i, row in enumerate(rows_of('ann', 200))]  # 300 Hz, rounded to 1 ms
    write(tmp_path, rows, layout=LAYOUT.replace('50', '300'))
    assert [len(r.signal) for r in Tables(tmp_path).read_all().recordings] == [200]


def test_time_that_cannot_be_used(tmp_path):
    rows = rows_of('ann')
    for change, unit, message in (
        ((5, 0, ''), 'ms', r'a\.csv:5: t is missing, expected a time'),
        ((5, 0, '60.5.1'), 'ms', r"a\.csv:5: t is '60\.5\.1', expected a number"),
        ((5, 0, '2024-13-01'), 'iso', r"a\.csv:2: t is '0', expected a date and time \(ISO 8601\)|a\.csv:5: t is '2024-13-01'"),
    ):
        edit_field(write(tmp_path, rows, layout=LAYOUT.replace('ms', unit)), *change, ',')
        with pytest.raises(ValueError, match=message):
            Tables(tmp_path).read_all()


def stamped(*times):
    """Rows at these times in ms, each with other values."""
    return [[time, *row[1:]] for time, row in zip(times, rows_of('ann', len(times)))]


GRID = [20 * i for i in range(60)]
BURSTS = [80 * (i // 4) for i in range(60)]


@pytest.mark.parametrize(
    ('times', 'line'),
    [
        ([*GRID[:8], 171, *GRID[9:]], 10),  # late by 11 ms
        ([*GRID[:8], 149, *GRID[9:]], 10),  # early by 11 ms
        ([*GRID[:8], 140, *GRID[9:]], 10),  # a repeated millisecond
        ([*GRID[:8], 172, 192, 211, *GRID[11:]], 10),  # three that are late
        ([*GRID[:20], *range(585, 595), *GRID[30:]], 22),  # a wait of ten samples, after which they come at once
        (BURSTS, 3),
        ([*GRID[:59], 1160], 61),
        ([*GRID[:8], 185, *GRID[9:]], 10),  # so late that the next one is before
        ([*GRID[:8], 135, *GRID[9:]], 10),
    ],
)
def test_late_and_repeated_times_are_jitter(times, line, tmp_path):
    write(tmp_path, stamped(*times))
    result = Tables(tmp_path).read_all()
    assert [(r.name, len(r.signal)) for r in result.recordings] == [('a.csv:2', 60)]
    assert len(result.notes) == 1
    assert f'a.csv:{line}: ' in result.notes[0]
    assert "which later ones make up for: jitter by the 'rate' in recordings.yml, no missing samples" in result.notes[0]


def test_gaps_and_copies_are_found_among_jitter(tmp_path):
    shake = np.random.default_rng(0).integers(-4, 5, size=400)  # ms, a fifth of the step to either side
    times = [20 * i + int(shake[i]) for i in range(400) if i not in (100, 200, 201, 205)]
    times[50] += 12
    write(tmp_path, stamped(*times))
    result = Tables(tmp_path).read_all()
    assert [len(r.signal) for r in result.recordings] == [100, 99, 3, 194]
    assert any("'gap' in recordings.yml allows more" in note for note in result.notes)
    rows = stamped(*GRID)
    write(tmp_path, [*rows[:8], rows[7], *rows[8:]])  # a copy of a row
    result = Tables(tmp_path).read_all()
    assert [len(r.signal) for r in result.recordings] == [60]
    assert 'a.csv:10: 1 row(s) from here on repeat the row before, time and all, and are left out' in result.notes[0]
    write(tmp_path, [row for row in rows for _ in range(2)])  # every row twice
    np.testing.assert_array_equal(Tables(tmp_path).read_all().recordings[0].signal, result.recordings[0].signal)
    rows[8] = [140, *rows[7][1:]]  # equal values in a repeated millisecond: time is made up for, and the row is kept
    write(tmp_path, rows)
    assert [len(r.signal) for r in Tables(tmp_path).read_all().recordings] == [60]
    rows = stamped(*GRID[:8], 140, *GRID[8:])  # one row too many, with values of its own
    write(tmp_path, rows)
    with pytest.raises(
        ValueError, match=r'a\.csv:10: t repeats that of the row before, with other values; expected 0\.02 s more'
    ):
        Tables(tmp_path).read_all()


@pytest.mark.parametrize('lost', [0, 60])
def test_samples_of_a_phone_that_are_stamped_on_delivery_are_even(lost, tmp_path):
    samples = np.delete(np.arange(600), np.arange(300, 300 + lost))
    ends = np.cumsum(np.random.default_rng(0).integers(1, 8, size=600))  # one to seven samples are delivered at once
    ends = np.union1d(ends, [299])  # the last before the loss
    stamps = 20 * samples[ends[np.searchsorted(ends, np.arange(len(samples)))].clip(max=len(samples) - 1)]
    write(tmp_path, stamped(*stamps.tolist()))
    result = Tables(tmp_path).read_all()
    assert [len(r.signal) for r in result.recordings] == ([300, 240] if lost else [600])
    pattern = (
        r'a\.csv:\d+: \d+ step\(s\) of t from here on are off by more than a fifth: times are those of delivery, and the rows'
    )
    assert any(re.search(pattern, note) for note in result.notes), result.notes
    if lost:
        assert any('1 gap(s) from here on, of 60 at the longest' in note for note in result.notes)


def test_missing_values_are_filled_or_cut(tmp_path):
    rows = rows_of('ann', 10)
    rows[3][1], rows[4][1], rows[9][2] = '', 'NaN', 'NA'
    write(tmp_path, rows, layout=LAYOUT + 'missing: interpolate\n')
    result = Tables(tmp_path).read_all()
    line = np.interp([3, 4], [2, 5], [rows[2][1], rows[5][1]])
    np.testing.assert_allclose(result.recordings[0].signal[3:5, 0], line, rtol=1e-6)
    assert result.recordings[0].signal[9, 1] == result.recordings[0].signal[8, 1]
    assert any('a.csv:5: 3 missing value(s) in 3 row(s) from here on filled along' in note for note in result.notes)
    write(tmp_path, rows, layout=LAYOUT + 'missing: cut\n')
    result = Tables(tmp_path).read_all()
    assert [(r.name, len(r.signal)) for r in result.recordings] == [('a.csv:2', 3), ('a.csv:7', 4)]
    assert any('a.csv:5: 3 missing value(s) in 3 row(s) from here on cut out, and a new' in note for note in result.notes)
    for row in rows:
        row[1] = ''
    write(tmp_path, rows, layout=LAYOUT + 'missing: interpolate\n')
    with pytest.raises(ValueError, match=r'a\.csv:2: acc_x has no value in 10 sample\(s\): nothing to fill it from'):
        Tables(tmp_path).read_all()
