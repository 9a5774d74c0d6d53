_base_ = './gaf.py'

# The network of the Gramian teacher, on the scalogram.
model = dict(learners=dict(_delete_=True, cwt=dict(view='cwt', network=_base_.model.learners.gaf.network)))
