# Shoulder exercises seen by a smart watch (Burns et al. 2018, arXiv:1802.01489), shipped inside the seglearn package:
# 10 subjects, 140 recordings, 6 channels at 50 Hz, 7 exercises.
_base_ = ['./loaders.py', './zscore_views.py']
window = 200  # samples: 4 s at 50 Hz
dataset = dict(
    type='WindowDataset',
    reader=dict(type='SeglearnWatch'),
    window=window,
    step=100,  # samples: windows overlap by half
    subjects=dict(train=['1', '2', '3', '4', '5', '6'], val=['7', '8'], test=['9', '10']),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(shape=(6, window), num_classes=7)
