# WEDA-FALL (Marques & Moreno, Sensors 2023): 25 subjects of whom 11 are 77 to 95 years old, fall or not, by acceleration and angular
# rate of a watch, put on a grid of 50 Hz, in five folds of subjects, every subject tested once.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/WEDA-FALL'
window = 100  # samples: 2 s; a fall lasts about 3 s
dataset = dict(
    type='WindowDataset',
    # A window of a fall lies within the times of the fall; before and after the fall there is none. The 19 movements:
    # task='activity' here and num_classes=19 below.
    reader=dict(type='WEDAFall', root=data_root, kinds=['acc', 'gyr'], task='fall', falls='time'),
    window=window,
    step=25,  # samples: 0.5 s, so that a fall of 3 s has two or three windows
    # By this seed, two of those who fell are in validation and in test of every fold; the old were not asked to fall.
    subjects=dict(type='GroupedKFold', k=5, seed=59, val=6),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(shape=(6, window), num_classes=2)
