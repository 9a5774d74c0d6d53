# Hinton et al. 2015: the softened response of one teacher. Weights in this folder are those that did better on the validation
# subjects out of 0.2 and 1, with the weight of the label loss at 1.
kd = dict(type='ResponseTransfer', source='sig.logits', target='student.logits', tau=4.0, weight=0.2)
