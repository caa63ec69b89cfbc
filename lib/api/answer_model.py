"""The base of the models of answers."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Answer(BaseModel):
    """Fields in camelCase; nothing that is not described here is sent."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")
