"""MLflow: runs, registry, the served policy."""
