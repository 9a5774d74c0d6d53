import pickle

import numpy as np
import pytest
from scipy.io import savemat
from writers.damage import KINDS, assert_outcome
from writers.utd_mhad import inertial, joints, write

from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.readers.utd_mhad import SAMPLES, TRIALS, UTDMHAD

BOTH = ('inertial', 'skeleton')


def test_frames_are_spread_over_the_time_of_the_samples(tmp_path):
    reader = UTDMHAD(write(tmp_path), BOTH)
    assert reader.parts() == ['s1', 's2']
    assert (reader.rate, reader.units) == (50.0, ('g',) * 3 + ('deg/s',) * 3)
    assert reader.channels == tuple(f'inertial_{kind}_{axis}' for kind in ('acc', 'gyr') for axis in 'xyz')
    assert (len(reader.classes), reader.classes[0], reader.classes[21], reader.classes[26]) == (
        27,
        'swipe left',
        'jog',
        'squat',
    )
    part = reader.read_checked('s2')
    assert [(r.name, r.subject, r.label) for r in part.recordings] == [('a1_s2_t1:0', 's2', 0), ('a22_s2_t1:0', 's2', 21)]
    recording = part.recordings[1]
    np.testing.assert_array_equal(recording.signal, inertial(2, 22, 160).astype(np.float32))
    # 100 frames last as long as 160 samples at 50 Hz, 3.2 s: the last one begins at 3.168 s, and 30 Hz has 96 samples until then.
    # A joint that moves by 1/100 m a frame moves by 1/3.2 m/s.
    stream, sensor = recording.streams['skeleton'], reader.streams['skeleton']
    assert (stream.offset, stream.signal.shape, sensor.rate, sensor.units[0]) == (0.0, (96, 60), 30.0, 'm')
    expected = joints(2, 1)[:, :, 0] + np.arange(96)[:, None, None] / 30 / 3.2 * np.array([1, 0, 0])
    np.testing.assert_allclose(stream.signal, expected.reshape(96, 60), atol=1e-6)
    assert sensor.channels[:4] == ('skeleton_head_x', 'skeleton_head_y', 'skeleton_head_z', 'skeleton_shoulder_center_x')
    assert sensor.channels[-1] == 'skeleton_foot_right_z'
    assert part.notes == ()
    assert len(reader.files()) == 8
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()
    assert isinstance(find_reader(tmp_path), UTDMHAD)

    alone = UTDMHAD(tmp_path, ['skeleton'])
    np.testing.assert_array_equal(alone.read_checked('s2').recordings[1].signal, stream.signal)
    assert (len(alone.files()), alone.units[0]) == (8, 'm')  # the files that tell the time of the frames are read, too


def test_trials_in_the_order_of_their_numbers(tmp_path):
    write(tmp_path, people=[1], actions=[10, 2], trials=[2, 1])
    assert [r.name for r in UTDMHAD(tmp_path).read_all().recordings] == [
        f'{trial}:0' for trial in ('a2_s1_t1', 'a2_s1_t2', 'a10_s1_t1', 'a10_s1_t2')
    ]


def test_trials_without_a_sensor(tmp_path):
    write(tmp_path)
    (tmp_path / 'Skeleton' / 'a1_s1_t1_skeleton.mat').unlink()
    (tmp_path / 'Inertial' / 'a22_s1_t1_inertial.mat').unlink()
    part = UTDMHAD(tmp_path, BOTH).read('s1')
    assert [(r.name, list(r.streams)) for r in part.recordings] == [('a1_s1_t1:0', [])]
    assert part.notes == (f'{tmp_path / "Skeleton"}: 1 trial(s) of s1 have no file here and have no such stream: a1_s1_t1',)
    part = UTDMHAD(tmp_path, ['skeleton']).read('s1')
    assert not part.recordings
    note = '1 trial(s) of s1 have no file here and are left out: the file has the time of the frames: a22_s1_t1'
    assert part.notes == (f'{tmp_path / "Inertial"}: {note}',)


def change(path, array):
    savemat(path, {'d_iner' if 'inertial' in path.name else 'd_skel': array})


def changed(**at):
    """A trial with other values in some rows of the first axis."""
    samples = inertial(1, 1, 160)
    samples[at['rows'], 0] = at['value']
    return samples


# What is done to the archive, its file a1_s1_t1_inertial.mat, what is then said, and whether it is repaired.
DAMAGE = {
    'truncated file': (
        lambda root, i: i.write_bytes(i.read_bytes()[:900]),
        r'a1_s1_t1_inertial\.mat: no MATLAB file that can',
        False,
    ),
    # A column is an axis.
    'missing column': (
        lambda root, i: change(i, inertial(1, 1, 160)[:, :5]),
        r'inertial\.mat: d_iner has the shape \(160, 5\), expected n x 6',
        False,
    ),
    'text in a number': (
        lambda root, i: change(i, ['0.1 x'] * 160),
        r'inertial\.mat: d_iner holds <U5, expected numbers',
        False,
    ),
    # Separators are in the names of the files.
    'wrong separator': (
        lambda root, i: i.rename(i.with_name('a1-s1-t1-inertial.mat')),
        r'a1-s1-t1-inertial\.mat: expected a name like a1_s1_t1_inertial\.mat, with an action a1 to a27',
        False,
    ),
    'NaN run': (
        lambda root, i: change(i, changed(rows=slice(20, 23), value=np.nan)),
        r'inertial\.mat: inertial_acc_x is nan at row 20, expected a finite number',
        False,
    ),
    # What is counted here are trials, not stamps.
    'duplicate timestamp': (
        lambda root, i: i.with_name('a01_s1_t1_inertial.mat').write_bytes(i.read_bytes()),
        r'a01_s1_t1_inertial\.mat: expected a name like a1_s1_t1_inertial\.mat, with an action a1 to a27',
        False,
    ),
    # Time cannot go back without stamps, but it can lie along the other axis.
    'negative time step': (
        lambda root, i: change(i, inertial(1, 1, 160).T),
        r'inertial\.mat: d_iner has the shape \(6, 160\), expected n x 6',
        False,
    ),
    'wrong label': (
        lambda root, i: i.rename(i.with_name('a28_s1_t1_inertial.mat')),
        r'a28_s1_t1_inertial\.mat: expected a name like a1_s1_t1_inertial\.mat, with an action a1 to a27',
        False,
    ),
    'empty file': (lambda root, i: i.write_bytes(b''), r'inertial\.mat: no MATLAB file that can be read', False),
    # No text here: another encoding is another name of the array.
    'unreadable encoding': (lambda root, i: savemat(i, dict(other=np.zeros(3))), r"the file has no variable 'd_iner'", False),
    # A line is a sample: a trial of one only has no time.
    'huge line': (lambda root, i: change(i, inertial(1, 1, 1)), r'inertial\.mat: d_iner has one row, expected a trial', False),
    'absent subject': (
        lambda root, i: [path.unlink() for path in root.glob('*/*_s2_*')],
        r'there is no trial of s2, s3, s4, s5, s6, s7, s8$',
        True,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path)
    do(tmp_path, tmp_path / 'Inertial' / 'a1_s1_t1_inertial.mat')
    assert_outcome(UTDMHAD(tmp_path).read_all, outcome, noted)


def test_joints_that_cannot_be(tmp_path):
    write(tmp_path)
    path = tmp_path / 'Skeleton' / 'a1_s1_t1_skeleton.mat'
    nan = joints(1, 9)
    nan[7, 1, 4] = np.nan
    for array, message in (
        (joints(1, 9)[:19], r'a1_s1_t1_skeleton\.mat: d_skel has the shape \(19, 3, 9\), expected 20 x 3 x n'),
        (nan, r'a1_s1_t1_skeleton\.mat: skeleton_hand_left_y is nan at row 4, expected a finite number'),
    ):
        change(path, array)
        with pytest.raises(ValueError, match=message):
            UTDMHAD(tmp_path, BOTH).read('s1')


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"Inertial holds no a1_s1_t1_inertial\.mat, .* 'Inertial' and 'Skeleton' in it"
    ):
        UTDMHAD(tmp_path).read_all()
    with pytest.raises(ValueError, match=r"sensors: expected one or more of inertial, skeleton, each once; got \('watch',\)"):
        UTDMHAD(tmp_path, ['watch'])
    assert (sum(TRIALS), sum(SAMPLES['inertial'])) == (861, 155_638)
