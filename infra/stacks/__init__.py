"""The stacks: units of deployment, which only compose."""
