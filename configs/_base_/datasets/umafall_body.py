# UMAFall with the wrist as the signal and all four positions as a stream beside it, for teachers alone; subjects 2 and 5 are tested, as
# in Sensors 2026, 26(11):3328.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/UMAFall_Dataset'
window = 200  # samples: the first 10 s of a trial of 15 s; a fall begins after 3 s
# A sensor that is strapped on another way, each by itself and by up to so many degrees; in training alone. Chosen, as what follows
# and the student's depth and epochs, on four groups of people who are not tested (docs/results_wearable.md).
turned = {
    where: dict(type='RotateAxes', axes=[[f'{where}_{kind}_{axis}' for axis in 'xyz'] for kind in ('acc', 'gyr')], angle=45.0)
    for where in ('wrist', 'waist', 'ankle', 'chest')
}
normalized = [dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')]
dataset = dict(
    type='WindowDataset',
    # Sensors start one after another; begun with all of them, 509 of 722 windows have the body in place of 154.
    reader=dict(
        type='UMAFall',
        root=data_root,
        sensors=['wrist', 'body'],
        kinds=['acc', 'gyr'],
        task='fall',
        damaged='leave_out',
        together=True,
    ),
    window=window,
    step=window,  # samples: one window for each trial, as the label is that of the trial
    # The paper names the tested subjects alone; of these two there are 37 falls in 98 trials.
    subjects=dict(type='FixedFolds', tested=[['2', '5']], val=['4', '6']),
    pipeline=normalized,
)
varied = [
    dict(type='Crop', share=0.7),  # of all sensors alike
    dict(type='TimeWarp', strength=0.3),  # likewise
    dict(type='NormalizeSignal', method='zscore'),
    dict(type='Scale', sigma=0.2),
    dict(type='Jitter', sigma=0.1),
    dict(type='PackWindows'),
]
trained = dict(
    pipeline=[turned['wrist'], *varied],
    pipelines=dict(body=[*turned.values(), *varied]),
)
train_dataloader = dict(dataset={**dataset, 'split': 'train', **trained})
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(
    shape=(6, window),
    num_classes=2,
    streams=dict(body=dict(shape=(24, window))),  # wrist, waist, ankle, chest
    views=dict(body=dict(stream='body')),
)
