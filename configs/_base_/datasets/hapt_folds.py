# HAPT in five folds of people for comparisons of many methods.
_base_ = ['./hapt.py']
dataset = dict(subjects=dict(_delete_=True, type='GroupedKFold', k=5, seed=0, val=2))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
