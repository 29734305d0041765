"""Quality Line: moves provider data from its sources into a gated warehouse."""
