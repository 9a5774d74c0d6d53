"""The first people of SmartFallMM and UTD-MHAD in their archives, so that little is unpacked."""

import numpy as np
import pytest

from mmkd_plugin.datasets import UTDMHAD, SmartFallMM


def test_watches_of_the_archive(files_of, tmp_path):
    names = files_of('smartfallmm_watch_phone', r'/watch/S(29|45)', tmp_path, until='/phone')
    assert sum(name.endswith('.csv') for name in names) == 778  # of the young
    reader = SmartFallMM(tmp_path / 'smartfallmm', groups=['young'])
    assert reader.parts() == ['young/S29', 'young/S45']
    for part, trials, rate in (('young/S29', 44, 34), ('young/S45', 26, 100)):
        assert reader.rows(part) == reader.known[part]['rows']
        recordings = reader.read_checked(part).recordings
        assert len({r.name.split(':')[0] for r in recordings}) == trials
        assert reader.measured_rate(part) == pytest.approx(rate, rel=0.02)
        sizes = [np.linalg.norm(r.signal, axis=1).mean() for r in recordings]
        assert 9 < np.median(sizes) < 12  # gravity is in it


def test_a_person_of_the_archive(files_of, tmp_path):
    names = files_of('utd_mhad', r'_s1_t\d_', tmp_path)
    assert [sum(name.endswith(f'_{sensor}.mat') for name in names) for sensor in ('inertial', 'skeleton')] == [861, 861]
    reader = UTDMHAD(tmp_path / 'utd_mhad' / 'data', ['inertial', 'skeleton'])
    recordings = reader.read_checked('s1').recordings
    known = reader.known['s1']
    assert (len(recordings), sum(len(r.signal) for r in recordings)) == (known['recordings'], known['samples'])
    # A trial lasts from 2 to 7 s, and so does its skeleton; a head is above the hips.
    for recording in recordings:
        skeleton = recording.streams['skeleton'].signal
        assert len(skeleton) / 30 == pytest.approx(len(recording.signal) / 50, abs=0.1)
    heights = np.median(skeleton, axis=0).reshape(20, 3)[:, 1]
    assert heights[0] - heights[3] > 0.3
