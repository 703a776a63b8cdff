"""MLflow: the store, the run that a pipeline shares, the registry, the served policy. Only here is it imported."""
