# UMAFall with the wrist as the signal and the body beside it, for the choice of settings: subjects 2 and 5 are tested in every fold,
# which chooses nothing; four groups of the others validate in turn, each with two or three of those who fell.
_base_ = './umafall_body.py'
subjects = dict(
    tested=[['2', '5']] * 4,
    val=[['1', '4', '11', '17'], ['3', '6', '14', '18'], ['7', '9', '15', '19'], ['8', '10', '12', '16']],
)
train_dataloader = dict(dataset=dict(subjects=subjects))
val_dataloader = dict(dataset=dict(subjects=subjects))
test_dataloader = dict(dataset=dict(subjects=subjects))
