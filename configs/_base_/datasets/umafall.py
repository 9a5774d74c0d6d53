# UMAFall (Casilari et al., Procedia Computer Science 2017): 19 subjects, falls and everyday movements, fall or not, by acceleration
# and angular rate of the wrist at 20 Hz, in five folds of subjects, every subject tested once.
_base_ = ['./loaders.py', './zscore_views.py']
data_root = 'data/UMAFall_Dataset'
window = 200  # samples: the first 10 s of a trial of 15 s; a fall begins after 3 s
dataset = dict(
    type='WindowDataset',
    # All four positions as channels of the signal: sensors=['body'] here and shape=(24, window) below; only trials that have all.
    # As a stream beside the wrist: sensors=['wrist', 'body']. The magnetometer is left out, as it tells the direction in the room.
    # The 15 movements: task='activity' here and num_classes=15 below.
    reader=dict(type='UMAFall', root=data_root, sensors=['wrist'], kinds=['acc', 'gyr'], task='fall', damaged='leave_out'),
    window=window,
    step=window,  # samples: one window for each trial, as the label is that of the trial
    # By this seed, falls are in validation and test of every fold; seven of the subjects have none.
    subjects=dict(type='GroupedKFold', k=5, seed=16, val=3),
    pipeline=[dict(type='NormalizeSignal', method='zscore'), dict(type='PackWindows')],
)
train_dataloader = dict(dataset=dict(split='train', **dataset))
val_dataloader = dict(dataset=dict(split='val', **dataset))
test_dataloader = dict(dataset=dict(split='test', **dataset))
data_preprocessor = dict(shape=(6, window), num_classes=2)
