# Class activation maps of the sample's own class, from the image teacher to the image branch.
cam = dict(type='ActivationMapTransfer', source='gaf.cam', target='image.cam', classes='target', normalize=False, weight=0.02)
