"""The sweep: its cost grows with the jobs that are due, not with all jobs; 100,000 in flight pass."""
