# The shoulder exercises of watch.py for the choice of hyperparameters: four people are validated, since two tell too little.
_base_ = ['./watch.py']
dataset = dict(subjects=dict(_delete_=True, type='FixedFolds', tested=[['3']], val=['2', '5', '8', '10']))
train_dataloader = dict(dataset=dataset)
val_dataloader = dict(dataset=dataset)
test_dataloader = dict(dataset=dataset)
