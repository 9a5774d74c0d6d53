# The shoulder exercises of watch.py in five folds of two subjects each, every subject tested once.
_base_ = ['./watch.py']
subjects = dict(_delete_=True, type='GroupedKFold', k=5, seed=0, val=2)
train_dataloader = dict(dataset=dict(subjects=subjects))
val_dataloader = dict(dataset=dict(subjects=subjects))
test_dataloader = dict(dataset=dict(subjects=subjects))
