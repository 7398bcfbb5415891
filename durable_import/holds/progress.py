"""What rich's ``Progress`` shows, as plain values: its tasks have the clock and the locks of this process."""

from __future__ import annotations

from typing import Any

TASKS = "tasks of rich"  # as ``Known.keeps`` calls them


Task = tuple[Any, ...]


def tasks_of(progress: Any) -> dict[int, Task]:
    """The tasks by number, with the seconds that each has run."""
    return {
        task.id: (
            task.description, task.total, task.completed, task.visible, dict(task.fields), task.elapsed,
            task.stop_time is not None, task.finished_time,
        )
        for task in progress.tasks
    }  # fmt: skip


def put_tasks(progress: Any, tasks: dict[int, Task]) -> None:
    """The opposite, for one that has none yet; the numbers of those that were removed are not given again."""
    for number in range(max(tasks, default=-1) + 1):
        if number not in tasks:
            progress.remove_task(progress.add_task("", visible=False))
            continue
        description, total, completed, visible, fields, elapsed, is_stopped, finished = tasks[number]
        progress.add_task(description, elapsed is not None, total, completed, visible, **fields)
        task = progress.tasks[-1]
        if elapsed is not None:
            task.start_time = progress.get_time() - elapsed
        if is_stopped:
            progress.stop_task(number)
        task.finished_time = finished
