import numpy as np
import pytest

from mmkd_plugin.datasets.readers.delivered import Repairs, delivered_tracks
from mmkd_plugin.datasets.readers.even_clock import sampling_times
from mmkd_plugin.datasets.readers.sensors import join_sensors

TRUE = 0.3 + np.arange(400) / 49.9  # seconds at which a sensor took samples


def test_even_stamps_stay_as_they_are():
    np.testing.assert_allclose(sampling_times(TRUE), TRUE, atol=1e-9)
    for few in (TRUE[:1], TRUE[:2], TRUE[:3], np.array([2.0, 2.0, 2.0])):
        np.testing.assert_allclose(sampling_times(few), few, atol=1e-9)


@pytest.mark.parametrize('burst', [4, 5, 6])
def test_bursts_are_spread(burst):
    last = np.arange(360) // burst * burst + burst - 1
    stamps = TRUE[last] + 0.001 * (np.arange(360) % burst)  # all of a burst when its last sample is there, a millisecond apart
    # The last of a burst is the one with the least delay.
    np.testing.assert_allclose(sampling_times(stamps) - TRUE[:360], 0.001 * (burst - 1), atol=1e-6)


def test_a_delay_that_is_caught_up_costs_no_sample():
    stamps = TRUE.copy()
    stamps[100:220] = np.maximum(stamps[100:220], TRUE[220] + np.arange(120) / 1000)  # 2.4 s of silence, then all at once
    stamps = np.maximum.accumulate(stamps)
    np.testing.assert_allclose(sampling_times(stamps), TRUE, atol=1e-6)


def test_samples_that_are_lost_leave_a_gap():
    stamps = np.delete(TRUE, np.arange(150, 200))
    np.testing.assert_allclose(sampling_times(stamps), stamps, atol=1e-6)
    late = stamps + np.random.default_rng(0).exponential(0.02, len(stamps))
    late = np.maximum.accumulate(late)
    assert np.abs(sampling_times(late) - stamps).max() < 0.04  # two samples
    assert np.diff(sampling_times(late)).argmax() == 149


@pytest.mark.parametrize(
    ('stamps', 'times', 'missing'),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3], [0, 0, 0]),
        ([2, 2, 2, 5, 5, 5], [0, 1, 2, 3, 4, 5], [0] * 5),  # bursts of three, at the last one's time
        ([0, 1, 9, 9, 9, 9, 9, 9, 9, 9, 10], list(range(11)), [0] * 10),  # the connection was lost, no reading was
        ([0, 1, 2, 9, 10, 11], [0, 1, 2, 9, 10, 11], [0, 0, 6, 0, 0]),  # nobody makes up for that one
        ([0, 1.5, 2, 3.25, 4], [0, 1, 2, 3, 4], [0] * 4),  # late by less than a step
        ([7], [7], []),
        ([], [], []),
    ],
)
def test_times_by_hand_of_a_given_step(stamps, times, missing):
    result = sampling_times(np.array(stamps, dtype=float), step=1.0)
    np.testing.assert_allclose(result, times)
    np.testing.assert_allclose(np.diff(result) - 1, missing)


def test_times_of_a_given_step_are_a_step_apart_and_never_after_their_stamps():
    rng = np.random.default_rng(0)
    stamps = np.sort(np.arange(500) * 0.03 + rng.exponential(0.05, 500))
    times = sampling_times(stamps, step=0.03)
    assert (times <= stamps).all()
    assert np.diff(times).min() > 0.03 - 1e-9
    # Readings that were never late are where they were, of any step that is not too short.
    np.testing.assert_allclose(sampling_times(np.arange(50) * 0.03, step=0.03), np.arange(50) * 0.03)


def rows(times, values, gap=0.5, rate=50.0):
    repairs = Repairs()
    tracks = delivered_tracks('a.csv', np.arange(2, len(times) + 2), times, values, rate, gap, repairs)
    return tracks, repairs.notes()


def test_rows_are_put_in_order_and_copies_are_left_out():
    times = np.arange(200) / 50
    values = np.column_stack([times, -times])
    order = np.r_[:50, 60:70, 50:60, 70:120, 119, 120:200]
    ((result, numbers),), notes = rows(times[order], values[order])
    np.testing.assert_allclose(result, times, atol=1e-9)
    np.testing.assert_allclose(numbers, values)
    assert notes == [
        'a.csv:62: 1 row(s) come before the one above: rows are sorted by time',
        'a.csv:122: 1 row(s) repeat the row before, time and all, and are left out',
    ]


def test_one_millisecond_twice_is_two_samples():
    times = np.arange(200) / 50
    stamps = times.copy()
    stamps[80] = stamps[81]  # one of them comes late
    ((result, _),), notes = rows(stamps, np.column_stack([times]))
    np.testing.assert_allclose(result, times, atol=1e-9)
    assert notes == ['a.csv:83: 1 row(s) have the time of the row before: times are those of even sampling, not of delivery']


def test_gaps_nan_and_rows_alone():
    times = np.delete(np.arange(400) / 50, [*range(100, 150), *range(151, 200)])
    values = np.column_stack([times, times])
    values[20:23, 1] = np.nan
    tracks, notes = rows(times, values)
    assert [len(track[0]) for track in tracks] == [97, 200]
    assert [note[6:] for note in notes] == [
        '22: 3 row(s) with NaN are left out',
        '102: 2 gap(s) of more than 0.5 s',
        '102: 1 row(s) that stand alone between gaps are left out',
    ]
    assert rows(times[:0], values[:0]) == ([], [])
    with pytest.raises(ValueError, match=r'^a\.csv:9: time inf and values \[0\.14, 0\.14\], expected finite numbers$'):
        rows(np.where(np.arange(len(times)) == 7, np.inf, times), values)
    with pytest.raises(ValueError, match=r'^a\.csv:2: rows are 20 s apart, expected about 0\.02 s; is the time in the unit of'):
        rows(1000 * np.arange(50) / 50, values[100:150])


def test_repairs_of_several_files_are_one_note():
    repairs = Repairs()
    for line, count in ((7, 2), (9, 0), (3, 1)):
        repairs.add('row(s) are odd', f'{line}.csv', line, count)
    assert repairs.notes() == ['7.csv:7: 3 row(s) are odd, from here on in 2 files']


def line(times):
    return times, np.column_stack([times, 2 * times])


SIGNAL, STREAM = [line(np.arange(0.5, 8.01, 0.1))], [line(np.arange(2.03, 4, 0.12)), line(np.arange(6, 12, 0.12))]
NEVER = [line(np.arange(20, 30.0))]


def test_a_stream_lies_on_the_grid_of_the_signal():
    other = [line(np.arange(4.5, 5.5, 0.12))]  # together with the stream it covers nothing
    each = dict(watch=[SIGNAL], far=[STREAM], never=[NEVER], both=[STREAM, other])
    (recording,) = join_sensors('a', lambda at: np.floor(at + 0.05).astype(int), 's', each, 10.0)
    times = np.arange(0.5, 8.01, 0.1)
    np.testing.assert_array_equal(recording.label, np.floor(times + 0.05))
    np.testing.assert_allclose(recording.signal, np.column_stack([times, 2 * times]), rtol=1e-6)
    assert list(recording.streams) == ['far']
    far = recording.streams['far']
    covered = ((times >= 2.03) & (times <= STREAM[0][0][-1])) | (times >= 6 - 1e-9)
    assert far.offset == 0
    assert np.isnan(far.signal[~covered]).all()
    np.testing.assert_allclose(far.signal[covered], recording.signal[covered], rtol=1e-5)


def test_a_stream_of_its_own_rate_begins_when_it_does():
    each = dict(watch=[SIGNAL], far=[STREAM], never=[NEVER])
    (recording,) = join_sensors('a', 3, 's', each, 10.0, dict(far=8.0, never=8.0))
    assert (recording.label, recording.name, list(recording.streams)) == (3, 'a:0', ['far'])
    far = recording.streams['far']
    times = np.arange(2.03, 8.01, 0.125)
    covered = (times <= STREAM[0][0][-1]) | (times >= 6)
    assert far.offset == pytest.approx(2.03 - 0.5)
    assert np.isnan(far.signal[~covered]).all()
    np.testing.assert_allclose(far.signal[covered], line(times[covered])[1], rtol=1e-5)


def test_an_end_within_a_step_before_the_signal_is_none_of_it():
    each = dict(watch=[SIGNAL], before=[[line(np.array([0.1, 0.3, 0.45]))]])
    assert join_sensors('a', 0, 's', each, 10.0)[0].streams == {}
