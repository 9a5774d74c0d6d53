# The shoulder exercises of watch.py in five folds of two subjects each, every subject tested once.
_base_ = ['./watch.py']
dataset = dict(subjects=dict(_delete_=True, type='GroupedKFold', k=5, seed=0, val=2))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
