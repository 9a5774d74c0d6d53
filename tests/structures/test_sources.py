"""What a view reads: a stream, and channels of it by name or pattern."""

import pytest
import torch

from mmkd_plugin.structures import ViewSource, choose_channels, read_source, stream_sizes

NAMES = ['wrist_x', 'wrist_y', 'waist_x', 'waist_y']
SIZES = stream_sizes((4, 40), NAMES, dict(camera=dict(shape=(2, 25))))


def test_channels_are_chosen_by_name_or_pattern():
    assert choose_channels('wrist_*', NAMES) == (0, 1)
    assert choose_channels(['*_y', 'wrist_x'], NAMES) == (1, 3, 0)
    assert choose_channels(['waist_?', 'waist_x'], NAMES) == (2, 3)
    assert choose_channels('a[0]', ['a0', 'a[0]']) == (1,)  # a name before a pattern
    for patterns, message in (
        ('wrst_x', "there is no channel 'wrst_x'; did you mean 'wrist_x'?"),
        ([], 'channels must be a name, a pattern or a list of them'),
        ([0], 'channels must be a name, a pattern or a list of them'),
    ):
        with pytest.raises(ValueError, match=message.replace('?', r'\?')):
            choose_channels(patterns, NAMES)


def test_a_source_reads_its_part_of_a_batch():
    inputs = {'signal': torch.randn(2, 4, 40), 'camera': torch.randn(2, 2, 25)}
    source, encoder = read_source('gaf', dict(type='GramianAngularField', channels='*_y'), SIZES)
    assert (source, encoder) == (ViewSource('signal', (2, 40), (1, 3)), dict(type='GramianAngularField'))
    torch.testing.assert_close(source.read(inputs), inputs['signal'][:, [1, 3]])
    torch.testing.assert_close(source.read(inputs['signal']), inputs['signal'][:, [1, 3]])
    whole, encoder = read_source('body', dict(channels='*'), SIZES)
    assert whole.channels is None
    assert encoder == {}
    camera, _ = read_source('seen', dict(stream='camera'), SIZES)
    assert camera.shape == (2, 25)
    assert camera.read(inputs) is inputs['camera']
    with pytest.raises(ValueError, match="the windows have no stream 'camera', but their signal alone"):
        camera.read(inputs['signal'])
    with pytest.raises(ValueError, match="the windows have no stream 'camera', but signal"):
        camera.read({'signal': inputs['signal']})


BAD = {
    'stream': (dict(stream='kamera'), "view 'x': there is no stream 'kamera'; did you mean 'camera'"),
    'channel': (dict(channels='hand'), "view 'x': there is no channel 'hand'"),
    'nameless': (
        dict(stream='camera', channels='*'),
        r"view 'x': channels='\*' needs the names of the channels: data_preprocessor.streams.camera.channels=\[...\]",
    ),
    'text': ('GramianAngularField', "view 'x' must be a dict, got 'GramianAngularField'"),
}


@pytest.mark.parametrize('kind', BAD)
def test_a_wrong_source_is_refused(kind):
    entry, message = BAD[kind]
    with pytest.raises(ValueError, match=message):
        read_source('x', entry, SIZES)


def test_the_signal_itself_has_no_encoder():
    with pytest.raises(
        ValueError, match="view 'sig' is the signal itself, with channels at most; give another name to a view that has type"
    ):
        read_source('sig', dict(type='GramianAngularField'), SIZES)


WRONG = {
    'shape': (((4,), None, None), r'data_preprocessor: shape must be the numbers of channels and samples of a window'),
    'zero': (((4, 0), None, None), r'data_preprocessor: shape must be'),
    'count': (((2, 40), NAMES, None), 'data_preprocessor: channels names 4 channels, but shape has 2'),
    'twice': (((2, 40), ['a', 'a'], None), 'data_preprocessor: channels must be a list of different names'),
    'text': (((1, 40), 'a', None), 'data_preprocessor: channels must be a list of different names'),
    'own': (((4, 40), None, dict(signal=dict(shape=(2, 2)))), "'signal' is the recordings' own signal, whose size is shape"),
    'field': (
        ((4, 40), None, dict(camera=dict(shape=(2, 25), chanels=['a']))),
        "data_preprocessor.streams.camera: there is no field 'chanels'; did you mean 'channels'",
    ),
}


@pytest.mark.parametrize('kind', WRONG)
def test_wrong_sizes_are_refused(kind):
    arguments, message = WRONG[kind]
    with pytest.raises(ValueError, match=message):
        stream_sizes(*arguments)
