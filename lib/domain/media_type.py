"""The kinds of media that the gateway makes."""

from enum import StrEnum


class MediaType(StrEnum):
    """What a model makes; the first level of the catalogue and a part of every stored key."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    TEXT = "text"
