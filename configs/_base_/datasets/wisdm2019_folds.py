# WISDM 2019 in three folds of people for comparisons of many methods: a window of 5 s every 10 s.
_base_ = ['./wisdm2019.py']
dataset = dict(step=200, subjects=dict(_delete_=True, type='GroupedKFold', k=3, seed=0, val=8))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
