"""The record with very many jobs: what its queries cost, and by which way they find their rows."""
