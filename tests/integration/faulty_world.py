"""The services over a record that is reached through a proxy which loses statements and answers."""

from dataclasses import dataclass
from typing import Any

import psycopg

from tests.fakes.provider import OnSubmit
from tests.integration.counting_proxy import CountingProxy
from tests.integration.world import World


@dataclass
class Faulty:
    """A world whose record is reached through a proxy that loses things; `look` sees the rows beside it."""

    world: World
    proxy: CountingProxy
    url: str

    def lose(self, function: str, *, what: str, times: int) -> None:
        """The next calls of this function do not arrive (`request`), or are not answered (`answer`)."""
        self.proxy.times = times
        mark = f"select {function}(".encode()
        if function == "take_due_jobs":
            mark = b"take_due_jobs("
        if what == "request":
            self.proxy.lose_request = mark
        else:
            self.proxy.lose_answer_to = mark

    @property
    def hit(self) -> bool:
        """Whether all that was to be lost was lost."""
        return self.proxy.lose_request is None and self.proxy.lose_answer_to is None

    def look(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """Rows as they are."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(sql.encode(), params).fetchall()

    def live(self) -> str:
        """A job that the provider throttles at first, to its end; its id."""
        world = self.world
        world.provider.on_submit = OnSubmit.THROTTLE
        world.create()
        ((job_id,),) = self.look("select job_id::text from jobs") or [("",)]
        world.provider.on_submit = OnSubmit.ACCEPT
        for _ in range(20):
            world.pass_time(20)
            world.drain()
            for prediction in list(world.provider.predictions):
                world.provider.work(prediction)
                world.webhook(prediction)
            world.run_sweep()
        return str(job_id)
