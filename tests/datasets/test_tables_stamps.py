"""Tables whose clock jitters, as those of Android do: put on the grid of their rate by their stamps."""

import numpy as np
import pytest
from writers.tables import write

from mmkd_plugin.datasets.readers.stamps import on_grid
from mmkd_plugin.datasets.readers.tables import Tables

HEADER = 'x_acc,y_acc,z_acc,x_gyro,y_gyro,z_gyro,timestamp,label'
LAYOUT = """
channels: [x_acc, y_acc, z_acc, x_gyro, y_gyro, z_gyro]
rate: 100
label: label
subject: {from: file name}
file_name: '{subject}_*'
time: {column: timestamp, unit: ms, resample: true}
"""
EVEN = LAYOUT.replace(', resample: true', '')
START = 1_657_533_977_754


def wave(ms):
    """Six channels at some times: sines of 0.5 to 3 Hz."""
    return np.sin(2 * np.pi * np.outer(np.asarray(ms) / 1000, np.arange(1, 7) / 2))


def read(tmp_path, ms, layout=LAYOUT, values=None, labels=None):
    """Recordings of a table with rows at these times."""
    values = wave(ms) if values is None else values
    labels = labels or ['WALKING'] * len(ms)
    rows = [[*row, START + time, label] for row, time, label in zip(values.tolist(), ms, labels)]
    write(tmp_path, rows, 's01_01_sw.csv', HEADER, layout)
    return Tables(tmp_path).read_all()


def jittered(count, step, seed=0):
    """Times in whole ms whose steps are off by up to a fifth."""
    steps = step * np.random.default_rng(seed).uniform(0.8, 1.2, count - 1)
    return np.rint(np.concatenate([[0], np.cumsum(steps)])).astype(int).tolist()


def test_steps_that_are_off_by_a_fifth(tmp_path):
    ms = jittered(600, 10)
    (recording,) = read(tmp_path, ms).recordings
    grid = np.arange(ms[-1] // 10 + 1) * 10
    assert recording.signal.shape == (len(grid), 6)
    # A straight line over 12 ms is off by (2π · 3 Hz · 12 ms)² / 8 of the height. Rows that count as even would be off by far more:
    # the walk of the steps is away by several ms.
    by_stamps = np.abs(recording.signal - wave(grid)).max()
    (even,) = read(tmp_path, ms, EVEN).recordings
    assert by_stamps < (2 * np.pi * 3 * 0.012) ** 2 / 8 + 1e-6
    assert np.abs(even.signal[: len(grid)] - wave(grid)[: len(even.signal)]).max() > 5 * by_stamps
    np.testing.assert_array_equal(even.signal, wave(ms).astype(np.float32))  # without resample, the rows as they are


def test_a_repeated_millisecond_counts_as_the_mean(tmp_path):
    ms = [10 * i for i in range(60)]
    ms[30] = ms[29]  # 290, 290, 310
    values = wave(ms)
    values[30] += 0.5
    result = read(tmp_path, ms, values=values)
    (recording,) = result.recordings
    expected = wave(np.arange(60) * 10)
    expected[29] += 0.25
    expected[30] = (expected[29] + expected[31]) / 2
    np.testing.assert_allclose(recording.signal, expected, atol=1e-6)
    note = 's01_01_sw.csv:32: 1 row(s) from here on repeat the time of the row before, 1 with other values; the mean is kept'
    assert [note in line for line in result.notes].count(True) == 1


def test_rows_without_room_in_time_are_refused_and_the_way_out_is_named(tmp_path):
    ms = [10 * i - 10 * (i > 29) for i in range(60)]  # a repeated stamp that later ones do not make up for
    message = r"sw\.csv:32: timestamp repeats .* other values; expected 0\.01 s more; 'resample: true' under 'time' in recordings\.yml"
    with pytest.raises(ValueError, match=message):
        read(tmp_path, ms, EVEN, np.random.default_rng(0).normal(size=(60, 6)))
    (recording,) = read(tmp_path, ms).recordings
    np.testing.assert_allclose(recording.signal, wave(np.arange(59) * 10), atol=1e-6)


def test_rows_that_occur_twice_and_rows_out_of_order(tmp_path):
    ms = [10 * i for i in range(60)]
    twice = ms[:20] + ms[19:]
    expected = read(tmp_path, ms).recordings[0].signal
    np.testing.assert_array_equal(read(tmp_path, twice).recordings[0].signal, expected)
    late = [*ms[:20], 205, *ms[21:]]
    swapped = [*late[:20], 210, 205, *late[22:]]  # 205 comes after 210: late by less than a sample
    np.testing.assert_array_equal(read(tmp_path, swapped).recordings[0].signal, read(tmp_path, late).recordings[0].signal)
    with pytest.raises(ValueError, match=r'sw\.csv:22: timestamp goes back by 0\.19 s'):
        read(tmp_path, [*ms[:20], 0, *ms[21:]])


def test_a_clock_of_another_rate_and_labels_of_the_nearest_rows(tmp_path):
    ms = [8 * i for i in range(100)]  # 125 Hz
    labels = ['WALKING' if time < 400 else 'SEATED' for time in ms]
    result = read(tmp_path, ms, LAYOUT.replace('100', '50'), labels=labels)
    (recording,) = result.recordings
    assert (recording.name, recording.signal.shape, result.classes) == ('s01_01_sw.csv:2', (40, 6), ('SEATED', 'WALKING'))
    np.testing.assert_array_equal(recording.label, [1] * 20 + [0] * 20)
    # Means over 20 ms are off by (2π · 3 Hz · 20 ms)² / 24 of the height, and the lines between rows by far less.
    np.testing.assert_allclose(recording.signal[1:-1], wave(np.arange(40) * 20)[1:-1], atol=0.01)
    with pytest.raises(ValueError, match=r"sw\.csv:2: timestamp steps by 8 s, 0\.125 Hz, .* near 50 Hz; is its unit 's'\?"):
        read(tmp_path, ms, LAYOUT.replace('100', '50').replace('ms,', 's,'))


def test_gaps_are_counted_in_rows_of_the_clock(tmp_path):
    ms = [time for time in jittered(300, 10, seed=1) if not 1000 < time < 1050]  # 4 or 5 rows are missing
    result = read(tmp_path, ms)
    assert len(result.recordings) == 2
    assert result.recordings[1].name == f's01_01_sw.csv:{2 + sum(time <= 1000 for time in ms)}'
    assert any('1 gap(s) from here on, of ' in note and 'a new recording begins' in note for note in result.notes)
    (whole,) = read(tmp_path, ms, LAYOUT.replace('resample', 'gap: 6, resample')).recordings
    assert len(whole.signal) == ms[-1] // 10 + 1


def test_a_grid_by_hand():
    rows, samples = on_grid(np.array([0.0, 1.0, 1.0, 3.0]), np.arange(4) + 5, np.array([[0.0], [1], [3], [6]]), 1.0)
    np.testing.assert_array_equal(samples[:, 0], [0, 2, 4, 6])
    np.testing.assert_array_equal(rows, [5, 6, 6, 8])
    rows, samples = on_grid(np.array([2.0]), np.array([7]), np.array([[4.0]]), 50.0)  # a row that stands alone
    assert (rows.tolist(), samples.tolist()) == ([7], [[4]])


def test_resample_is_true_or_false(tmp_path):
    with pytest.raises(ValueError, match="time: resample is 'often', expected true or false"):
        read(tmp_path, [0, 10], LAYOUT.replace('true', 'often'))
