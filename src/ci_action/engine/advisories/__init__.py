"""Known vulnerabilities of packages: asked for, put together, rated, and told. Only `osv_client` touches the network."""
