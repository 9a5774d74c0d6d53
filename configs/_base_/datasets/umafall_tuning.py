# UMAFall of umafall_folds.py for the choice of hyperparameters: six people are validated, five of whom fell.
_base_ = ['./umafall_folds.py']
dataset = dict(
    # The tested subject has no windows of the body, and as many of the wrist as six others.
    subjects=dict(_delete_=True, type='FixedFolds', tested=[['18']], val=['2', '4', '5', '9', '11', '15'])
)
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
