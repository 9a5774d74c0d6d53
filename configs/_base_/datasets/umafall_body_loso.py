# UMAFall with the wrist as the signal and the body beside it, one subject left out: fold i tests subject i in natural order.
_base_ = './umafall_body.py'
# Among any three subjects that follow one another somebody falls.
subjects = dict(_delete_=True, type='LeaveOneSubjectOut', val=3)
train_dataloader = dict(dataset=dict(subjects=subjects))
val_dataloader = dict(dataset=dict(subjects=subjects))
test_dataloader = dict(dataset=dict(subjects=subjects))
