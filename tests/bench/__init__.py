"""The benchmark: ours, the original's stack and the bare limits, side by side in one run.

scripts/bench is the way to start it.  Reading order: __main__.py, plan.py, sides.py, then
one file for each group of measurements (throughput, connections, pipeline, drain,
freshness, stats, scaling), and report.py with chart.py for what comes out.
"""
