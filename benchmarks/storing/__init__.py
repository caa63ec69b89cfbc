"""Storing a result: memory flat in file size, and as fast as a plain streamed copy."""
