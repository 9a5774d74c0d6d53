# WEDA-FALL in four folds for comparisons of many methods: every fourth window of wedafall.py, none overlaps.
_base_ = ['./wedafall.py']
dataset = dict(
    step=100,
    # By this seed, two of those who fell are in validation and test of every fold.
    subjects=dict(k=4, seed=197, val=4),
)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
