# One teacher on each view, trained by its own config on the run's data when a run first needs it.
teachers = dict(
    sig=dict(config='configs/teachers/sig.py'),
    gaf=dict(config='configs/teachers/gaf.py'),
    pi=dict(config='configs/teachers/pi.py'),
)
