"""Long tables, written partition by partition into a folder: in bounded memory, and on several processes or machines.

Only `agentsynth.streaming.cluster` knows Dask.
"""
