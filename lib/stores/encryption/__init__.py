"""How users' keys are sealed: AES-256-GCM by `cryptography`, under a master key of AWS KMS or of this machine."""
