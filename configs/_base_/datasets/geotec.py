# GeoTec SPSW (Matey-Sanz et al., Data in Brief 2023): 23 subjects stand up, walk, turn, walk back and sit down, seen by acceleration
# and angular rate of a watch, put on a grid of 100 Hz, in five folds of subjects, every subject tested once.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/sp-sw-har-dataset'
window = 64  # samples: 0.64 s; standing up and turning take about 1.1 s
dataset = dict(
    type='WindowDataset',
    # The phone in the pocket as a stream beside the watch: sensors=['watch', 'phone']; in its place: sensors=['phone'].
    reader=dict(type='GeoTec', root=data_root, sensors=['watch']),
    window=window,
    step=32,  # samples: windows overlap by half
    subjects=dict(type='GroupedKFold', k=5, seed=0, val=4),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(shape=(6, window), num_classes=5)
