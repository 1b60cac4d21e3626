"""Views of container images, wherever their bytes live: an engine, an archive, an OCI layout, a registry, memory."""
