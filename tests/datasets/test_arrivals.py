import numpy as np
import pytest

from mmkd_plugin.datasets.readers.arrivals import even_out


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
def test_times_by_hand(stamps, times, missing):
    result, lost = even_out(np.array(stamps, dtype=float), 1.0)
    np.testing.assert_allclose(result, times)
    np.testing.assert_allclose(lost, missing)


def test_times_are_a_step_apart_and_never_after_their_stamps():
    rng = np.random.default_rng(0)
    stamps = np.sort(np.arange(500) * 0.03 + rng.exponential(0.05, 500))
    times, lost = even_out(stamps, 0.03)
    assert (times <= stamps).all()
    assert np.diff(times).min() > 0.03 - 1e-9
    np.testing.assert_allclose(np.diff(times) - lost, 0.03)
    # Readings that were never late are where they were, of any step that is not too short.
    np.testing.assert_allclose(even_out(np.arange(50) * 0.03, 0.03)[0], np.arange(50) * 0.03)
