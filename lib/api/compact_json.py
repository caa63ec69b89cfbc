"""JSON without spaces, by one encoder that is made once."""

import json

compact_json = json.JSONEncoder(separators=(",", ":")).encode
