"""Fuzz targets: the servers that some of them need, and a runner (python3 -m fuzz)."""
