"""`lib.ports.repositories` over Postgres: SQL that can be read, one statement and one round trip for each method."""
