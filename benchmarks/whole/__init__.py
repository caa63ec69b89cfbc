"""The whole gateway on the local cloud: from the provider's word to the caller's result, and under load."""
