# UMAFall with the wrist as the signal and all four positions as a stream beside it, for teachers alone; subjects 2 and 5 are tested, as
# in Sensors 2026, 26(11):3328.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/UMAFall_Dataset'
window = 200  # samples: the first 10 s of a trial of 15 s; a fall begins after 3 s
dataset = dict(
    type='WindowDataset',
    reader=dict(
        type='UMAFall', root=data_root, sensors=['wrist', 'body'], kinds=['acc', 'gyr'], task='fall', damaged='leave_out'
    ),
    window=window,
    step=window,  # samples: one window for each trial, as the label is that of the trial
    # The paper names the tested subjects alone; these two have 39 falls in 102 trials.
    subjects=dict(type='FixedFolds', tested=[['2', '5']], val=['4', '6']),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(
    shape=(6, window),
    num_classes=2,
    streams=dict(body=dict(shape=(24, window))),  # wrist, waist, ankle, chest
    views=dict(body=dict(stream='body')),
)
