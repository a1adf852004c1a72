"""The soak: the whole suite under load for as long as wanted, with random faults.

scripts/soak is the way to start it.  Reading order: __main__.py (the run and its end),
town.py (what runs), faults.py (what is done to it), watch.py (what is measured).
"""
