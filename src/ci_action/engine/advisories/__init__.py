"""Known vulnerabilities of packages. Only `osv_client` uses the network."""
