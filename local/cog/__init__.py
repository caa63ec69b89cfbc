"""A Cog server of one's own: a small predictor, and the service that runs Cog's real HTTP server with it."""
