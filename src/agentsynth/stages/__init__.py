"""The stages of `dvc.yaml`: each one a pure function and a thin `main`, run as `python -m agentsynth.stages.NAME`."""
