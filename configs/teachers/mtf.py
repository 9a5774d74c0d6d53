_base_ = './gaf.py'

# The network of the Gramian teacher, on the Markov transition field.
model = dict(learners=dict(_delete_=True, mtf=dict(view='mtf', network=_base_.model.learners.gaf.network)))
