"""What adapters cost: building a request, reading an answer."""
