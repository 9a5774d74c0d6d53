"""A day of a stream: memory stays flat, and the time of decisions is that of the samples."""

import os

import numpy as np
import pytest
from usage import check_flat, usage

from mmkd_plugin.deploy import StreamingInferencer

HOURS = float(os.environ.get('MMKD_HOURS', 24))  # of the long form

CLOCKS = {
    'no stamps': None,
    'jitter': lambda count, rng: count / 100 + rng.uniform(-0.002, 0.002, len(count)),
    'fast': lambda count, rng: np.round(count / 103, 3),
    'slow': lambda count, rng: np.round(count / 97 + rng.uniform(-0.001, 0.001, len(count)), 4),
}


@pytest.mark.parametrize('clock', CLOCKS)
@pytest.mark.parametrize(
    ('hours', 'memory'),
    [pytest.param(1 / 12, 0.5, id='minutes'), pytest.param(HOURS, 0.05, id='a day', marks=pytest.mark.soak)],
)
def test_a_stream_neither_grows_nor_drifts(clock, hours, memory, student_file, swing, temporary):
    """A simulated clock: 100 samples a second, in pieces of a second, the same every minute."""
    live = StreamingInferencer(student_file, hop=250, rate=100.0)
    minutes, minute = round(60 * hours), swing(60, rate=100)
    rng, begin = np.random.default_rng(0), 1.7e9
    rows, measures, minute_of = 0, [], {}
    first = None
    for number in range(minutes):
        for second in range(60):
            count = np.arange(6000 * number + 100 * second, 6000 * number + 100 * (second + 1))
            times = None if CLOCKS[clock] is None else begin + CLOCKS[clock](count, rng)
            if times is not None and first is None:
                first = times[0]
            for last in live.push(minute[100 * second : 100 * (second + 1)], times):
                rows += 1
                place = rows % 12  # decisions of a minute
                shares = minute_of.setdefault(place, last['probabilities']) if rows > 12 else last['probabilities']
                assert last['probabilities'] == pytest.approx(shares, abs=1e-5), f'decision {rows}'
        if number >= max(1, minutes // 10) and number % max(1, minutes // 24) == 0:
            measures.append(usage())
    check_flat(measures, memory, f'parts of a stream of {minutes} minutes with {clock}')
    assert (live.gaps, live.repeated) == (0, 0)
    # Of n samples at 100 Hz the last one but jitter is known: of those at 50 Hz, windows are complete up to there.
    known = 3000 * minutes - 1
    assert rows == (known - live.contract.window) // 250 + 1
    assert last['start'] == (rows - 1) * 250 / 50
    assert last['end'] == last['start'] + 1
    if CLOCKS[clock] is not None:  # ten seconds of samples are lost, and the stamps count again
        late = begin + CLOCKS[clock](np.arange(7000) + 6000 * minutes, rng)[1000:]
        after = live.push(minute, late) + live.end()
        assert (live.gaps, live.repeated) == (1, 0)
        assert next(row['start'] for row in after if row['recording'] == '1') == pytest.approx(late[0] - first, abs=1e-5)
