"""Known vulnerabilities of packages: asked for, put together, rated, and told. Only `service` touches the network."""
