"""What makes the deployment out of the source: make build."""
