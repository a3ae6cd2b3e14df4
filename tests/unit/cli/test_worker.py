"""How workers are started: whose tasks each takes, and that learning never runs in a forked child."""

from importlib import import_module

import pytest

from api.queues import CELERY_QUEUES
from cli.worker import Queue, worker_words


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


@pytest.mark.parametrize(
    ("queue", "queues", "pool", "concurrency"),
    [
        (Queue.ALL, "default,ml", "prefork", "3"),
        (Queue.DEFAULT, "default", "prefork", "3"),
        (Queue.ML, "ml", "solo", "1"),
    ],
)
def test_a_worker_of_the_learning_queue_works_in_one_thread(
    queue: Queue, queues: str, pool: str, concurrency: str
) -> None:
    words = worker_words(3, "INFO", queue)
    assert [option(words, name) for name in ("--queues", "--pool", "--concurrency")] == [queues, pool, concurrency]


def test_every_queue_has_a_worker_and_only_long_tasks_are_on_the_learning_one(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {option(worker_words(1, "INFO", queue), "--queues") for queue in (Queue.DEFAULT, Queue.ML)}
    assert taken == set(CELERY_QUEUES)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    module = import_module("api.worker")
    app, long_tasks = module.app, set(module.LONG_TASKS)
    app.loader.import_default_modules()
    assert long_tasks <= set(app.tasks)
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in app.tasks}
    assert {name for name, queue in queues.items() if queue == "ml"} == long_tasks
