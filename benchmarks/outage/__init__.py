"""What one provider's outage does to the jobs of another."""
