_base_ = './gaf.py'

# The network of the Gramian teacher, on the recurrence plot.
model = dict(learners=dict(_delete_=True, rp=dict(view='rp', network=_base_.model.learners.gaf.network)))
