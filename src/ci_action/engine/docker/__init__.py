"""The client of Docker: the only way in which stages use the engine, its images and containers."""
