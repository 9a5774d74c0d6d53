# UCI-HAR (Anguita et al., ESANN 2013): 30 subjects, 6 activities, 9 channels at 50 Hz, in the archive's windows of 2.56 s and with
# its test subjects.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/UCI HAR Dataset'
window = 128  # samples: a line of the archive's files
dataset = dict(
    type='WindowDataset',
    reader=dict(type='UCIHAR', root=data_root),
    window=window,
    step=window,  # the archive's windows overlap by half already
    subjects=dict(type='FixedFolds', fold=0, val=4, tested=[['2', '4', '9', '10', '12', '13', '18', '20', '24']]),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(batch_size=64, dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(shape=(9, window), num_classes=6)
