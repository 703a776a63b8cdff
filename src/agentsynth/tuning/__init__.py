"""Tuning: an Optuna study that looks for better parameters. Nothing outside this package imports Optuna."""
