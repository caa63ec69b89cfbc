"""The actor of the current work: every statement to the record is sent on this actor's behalf."""

from contextvars import ContextVar

from lib.domain.actor import Actor

_ACTOR: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current_actor() -> Actor | None:
    """Who we act for, or None: then the record shows what it shows to the role of the connection alone."""
    return _ACTOR.get()


def act_for(actor: Actor) -> None:
    """Act for this actor until the `acting_as` block ends that we are in: in a request, the whole request."""
    _ACTOR.set(actor)


class acting_as:  # noqa: N801 - used as `with acting_as(...)`; a generator would cost each request more
    """Act for this actor while the block lasts; None acts for nobody. Blocks nest; threads do not inherit it."""

    def __init__(self, actor: Actor | None) -> None:
        self._actor = actor

    def __enter__(self) -> None:
        self._token = _ACTOR.set(self._actor)

    def __exit__(self, *_: object) -> None:
        _ACTOR.reset(self._token)
