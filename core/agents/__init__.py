"""Models in loops: the orchestrator, the researchers and the writer, and the tools they have."""
