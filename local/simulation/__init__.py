"""What the simulators of providers share: drawing, faults, files and how they are served, connections."""
