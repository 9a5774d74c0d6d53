"""A data set of two sensors: four channels that are worn, at 20 Hz, and two that a camera sees, at 12.5 Hz on its own clock."""

import numpy as np

from mmkd_plugin.datasets import Part, Reader, Recording, Sensor, Stream
from mmkd_plugin.registry import TASK_UTILS

WINDOW, STEP, LENGTH = 40, 20, 200
MARK = 'worn_and_seen.txt'  # in the folder, whose recordings follow from their names
WORN = ('wrist_x', 'wrist_y', 'waist_x', 'waist_y')
SEEN = ('camera_hand', 'camera_hip')


@TASK_UTILS.register_module()
class WornAndSeen(Reader):
    """Six people, three classes; of class 'slow' the camera has lost ten frames, and of one recording all."""

    channels = WORN
    units = ('g',) * 4
    classes = ('still', 'slow', 'fast')
    rate = 20.0
    streams = {'camera': Sensor(SEEN, 12.5, ('mm', 'mm'))}

    def parts(self):
        if not (self.root / MARK).is_file():
            raise FileNotFoundError(f'{self.root} has no {MARK}')
        return [str(subject) for subject in range(6)]

    def files(self):
        return [self.root / MARK]

    def read(self, part):
        return Part(tuple(recording(int(part), label) for label in range(3)))


def recording(subject, label):
    generator = np.random.default_rng((subject, label))
    phases, time, seen = generator.uniform(0, 6, 4), np.arange(LENGTH) / 20, 0.13 + np.arange(122) / 12.5
    worn = label * np.sin(time[:, None] * (1 + label) + phases) + generator.normal(0, 0.3, (LENGTH, 4))
    camera = 100 * label * np.sin(seen[:, None] * (1 + label) + phases[:2]) + generator.normal(0, 10, (122, 2))
    camera = camera.astype(np.float32)
    if label == 1:
        camera[50:60] = np.nan
    streams = {} if (subject, label) == (1, 2) else {'camera': Stream(camera, 0.13)}
    return Recording(worn.astype(np.float32), label, str(subject), f'{subject}_{label}', streams=streams)


def dataset(folder, split='train', **more):
    """Return the config of a split."""
    (folder / MARK).write_text('worn and seen\n')
    settings = dict(
        _scope_='mmkd_plugin',
        type='WindowDataset',
        reader=dict(type='WornAndSeen', root=str(folder)),
        window=WINDOW,
        step=STEP,
        subjects=dict(train=['0', '1', '2'], val=['3'], test=['4', '5']),
        pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
        store=str(folder / 'stores'),
    )
    return {**settings, 'split': split, **more}


PREPROCESSOR = dict(
    _scope_='mmkd_plugin',
    type='ViewPreprocessor',
    shape=(4, WINDOW),
    num_classes=3,
    channels=list(WORN),
    streams=dict(camera=dict(shape=(2, 25), channels=list(SEEN))),
    views=dict(
        sig=dict(channels='wrist_*'),
        body=dict(channels='*'),
        gaf=dict(type='GramianAngularField', image_size=16, scale=(-3, 3), channels='wrist_*'),
        camera=dict(stream='camera'),
    ),
)
